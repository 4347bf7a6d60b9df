"""Evidence of the made-up model beside its configuration, its base and a LoRA, broken in one way for each check."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.comparison import Comparison, TensorChange
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import Fault, StoredTensor
from audioloss_cli.model import Severity
from tests.checkpoints.checks import evidences
from tests.checkpoints.checks.evidences import EMBEDDINGS, HEAD, HIDDEN, MLP, SHAPES, K, V, faulty, seen

SAME = TensorChange(0.0, 1.0, is_same=True)
MOVED = TensorChange(0.01, 1.0, is_same=False)
R = 4


def compared(
    found: Mapping[str, TensorChange] | None = None, steps: int | None = 100, /, **more: Any
) -> CheckpointEvidence:
    """A healthy checkpoint of which every tensor changed, but for what is given."""
    evidence = seen()
    changes = {**dict.fromkeys(SHAPES, MOVED), **(found or {})}
    evidence.comparison = Comparison("base", steps, changes, **more)
    return evidence


def lora(
    *modules: str, rank: int = R, zero: tuple[str, ...] = (), step: int | None = 500, **more: Any
) -> CheckpointEvidence:
    """An adapter of these modules, whose lora_B is zero for some of them."""
    tensors = dict[str, StoredTensor]()
    for module in modules:
        for half, shape in (("A", (rank, HIDDEN)), ("B", (HIDDEN, rank))):
            name = f"base_model.model.{module}.lora_{half}.weight"
            tensors[name] = StoredTensor(name, "F32", shape, Path("adapter_model.safetensors"), 0)
    config = {"peft_type": "LORA", "r": rank, "target_modules": [], "modules_to_save": None, **more}
    evidence = seen(tensors=tensors, config={}, adapter_config=config, step=step)
    evidence.statistics = {
        name: TensorStatistics(each.elements, zero=each.elements * any(f".{module}.lora_B" in name for module in zero))
        for name, each in tensors.items()
    }
    return evidence


def without(name: str) -> CheckpointEvidence:
    evidence = seen()
    del evidence.checkpoint.tensors[name]
    return evidence


def reshaped(name: str, *shape: int) -> CheckpointEvidence:
    evidence = seen()
    evidence.checkpoint.tensors[name] = replace(evidence.checkpoint.tensors[name], shape=shape)
    return evidence


def but_for_book(name: str, book: int) -> CheckpointEvidence:
    run = (book * V, book * V + V)
    return compared({name: replace(MOVED, same=V, same_runs=(run,))})


ATTENTION, TEXT_HEAD = "layers.0.self_attn.q_proj", "text_head"
#: check -> evidence in which it must find something.
FIRES: dict[str, Callable[[], CheckpointEvidence]] = {
    **evidences.FIRES,
    "audio_unchanged": lambda: compared({HEAD: SAME}),
    "codebook_unchanged": lambda: but_for_book(HEAD, 2),
    "config_mismatch": lambda: reshaped(HEAD, K * (V + 2), HIDDEN),
    "exploded_weights": lambda: compared({MLP: TensorChange(11.0, 1.0, is_same=False)}),
    "lora_audio_untrained": lambda: lora(TEXT_HEAD),
    "lora_mismatch": lambda: lora(ATTENTION, r=R * 2),
    "lora_unchanged": lambda: lora(ATTENTION, zero=(ATTENTION,)),
    "missing_audio_weights": lambda: without(HEAD),
    "nothing_changed": lambda: compared(dict.fromkeys(SHAPES, SAME)),
    "other_weights": lambda: compared(reshaped=[EMBEDDINGS]),
    "stopped_module": lambda: faulty("stopped-module", Fault("stopped-module", Severity.WARNING, "it stopped")),
}
#: Ruled out only where there is a comparison or a LoRA.
NEEDS_MORE = {
    *("audio_unchanged", "codebook_unchanged", "exploded_weights", "nothing_changed", "other_weights"),
    *("lora_audio_untrained", "lora_mismatch", "lora_unchanged"),
}
NEVER_RULED_OUT = {"stopped_module"}
