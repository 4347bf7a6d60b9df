"""What all tests of the probe share."""

from collections.abc import Iterator

import pytest
import torch
import transformers

# Whole probes of checkpoints that a transformers without Higgs Audio v2 cannot load.
_CHECKPOINTS = ("higgs_audio", "hostile_files", "lora_adapter", "run_directories", "transformers_directory")
_PROBES = ("matrix", "merge", "mutations", "original", "readme", "run_regressions", "samples")
collect_ignore = (
    []
    if hasattr(transformers, "HiggsAudioV2Config")
    else [
        *(f"model_io/checkpoint/test_{name}.py" for name in _CHECKPOINTS),
        *(f"test_{name}.py" for name in _PROBES),
        *("measure/test_alignment.py", "measure/test_observe.py"),
    ]
)


@pytest.fixture(autouse=True, scope="session")
def _single_thread() -> Iterator[None]:
    """Tiny models gain nothing from a second thread, and on a busy machine they wait for it ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
