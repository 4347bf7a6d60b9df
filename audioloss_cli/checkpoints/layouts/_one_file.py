"""One file as a checkpoint: which of its tensors are the model's, and what a training put beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.layouts._opener import Opener
from audioloss_cli.checkpoints.layouts._state import model_tensors
from audioloss_cli.checkpoints.layouts._steps import step_of_name, step_of_optimizer, step_of_scheduler, training_step
from audioloss_cli.checkpoints.layouts._weights import ADAPTER, MODEL, SHARD
from audioloss_cli.checkpoints.stored import Checkpoint, Part, StoredFile

_FORMATS = {"torch_zip": "torch", "torch_legacy": "torch"}
_LIGHTNING = "pytorch-lightning_version"
_OPTIMIZERS = ("optimizer_states", "optimizer", "optimizer_state_dict", "optimizers", "optim")
_SCHEDULERS = ("lr_schedulers", "scheduler", "lr_scheduler", "scheduler_state_dict")


def read_one(path: Path) -> Checkpoint:
    """Read the header of a file, with the configuration that lies beside it.

    Raises:
        ReadError: it is no file of tensors.
    """
    opener = Opener(path, "checkpoint file")
    opened = opener.checkpoint
    stored = opener.tensors(path)
    if stored is None:
        return opener.finished()
    opened.kind = f"{_FORMATS.get(stored.format, stored.format)} file"
    opened.tensors = model_tensors(stored)
    if isinstance(stored.value, Mapping):
        _read_training(opener, stored, stored.value)
    if opened.step is None:
        opened.step = step_of_name(path)
    if path.name in MODEL:
        opened.config = opener.json(path.parent / "config.json")
    elif path.name in ADAPTER:
        opened.adapter_config = opener.json(path.parent / "adapter_config.json")
    elif shard := SHARD.fullmatch(path.name):
        number, count = int(shard["number"]), int(shard["count"])
        note = f"it is shard {number:,} of {count:,}: what the others hold is not known; name the directory"
        opened.notes.append(note)
    return opener.finished()


def _read_training(opener: Opener, stored: StoredFile, value: Mapping[Any, Any]) -> None:
    """Add what a training keeps beside its model: a step, optimizers, schedulers."""
    opened = opener.checkpoint
    opened.step = training_step(value)
    is_lightning = _LIGHTNING in value
    if is_lightning:
        opened.kind = "Lightning checkpoint"
    fronts = tuple(f"{name}." for name in _OPTIMIZERS)
    opened.state = {name: tensor for name, tensor in stored.tensors.items() if name.startswith(fronts)}
    for names, part, step_of in (
        (_OPTIMIZERS, "optimizer", step_of_optimizer),
        (_SCHEDULERS, "scheduler", step_of_scheduler),
    ):
        for name in names:
            for state in _states(value.get(name)):
                opened.parts.append(Part(part, stored.path, step_of(state)))
    opened.resumable = any(part.name == "optimizer" for part in opened.parts)
    if opened.resumable and not is_lightning:
        opened.kind = "checkpoint of a training"
    if opened.step is None:
        opened.step = next((part.step for part in opened.parts if part.step is not None), None)
    if is_lightning and not opened.resumable:
        opened.notes.append("it has no optimizer (save_weights_only): a training cannot be resumed from it")


def _states(found: Any) -> list[Any]:
    """Return the states of one optimizer or scheduler, or of a list of them."""
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, Mapping) and each]
