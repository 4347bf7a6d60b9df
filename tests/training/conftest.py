"""What all tests of the live wing share."""

import logging
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import transformers


@pytest.fixture(autouse=True, scope="session")
def _resumable() -> None:
    """A Trainer below 4.47 reads its own states of random generators with a torch that trusts no array by itself."""
    if not hasattr(transformers, "HiggsAudioV2Config"):
        found = [np._core.multiarray._reconstruct, np.ndarray, np.dtype, type(np.dtype(np.uint32))]
        torch.serialization.add_safe_globals(found)


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    """One thread for tiny models, and no progress bars of frameworks between the tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    yield
    torch.set_num_threads(threads)
