"""Putting a run back in place: optimiser state, and the weights of a checkpoint directory of transformers."""

import json
from pathlib import Path
from typing import Any

import torch

from audioloss_cli.training.case import ActionError

#: What schedulers compute from in the groups of an optimiser, beside the rate itself (OneCycleLR, SWALR).
IN_GROUPS = ("initial_lr", "max_lr", "min_lr", "swa_lr")
_WHOLE, _INDEX, _ADAPTER = "model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"


def load_optimizer(optimizer: Any, state: dict[str, Any]) -> None:
    """Moments and step counts as they were; the learning rate and its schedule stay what they were made since."""
    rates = [{name: group[name] for name in ("lr", *IN_GROUPS) if name in group} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, own in zip(optimizer.param_groups, rates, strict=True):
        group.update(own)


def load_tensors(path: Path) -> dict[str, Any]:
    """A file of torch.save, without ever running what is in it.

    Raises:
        ActionError: it cannot be read so.
    """
    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise ActionError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from error
    except Exception as error:
        raise ActionError(f"{path} holds more than tensors, and is not loaded: {type(error).__name__}") from error
    return found


def load_weights(model: Any, directory: Path) -> None:
    """What ``save_pretrained`` wrote: one file, shards with an index, or a LoRA adapter (transformers, PEFT).

    Raises:
        ActionError: there is none of them, or a tensor does not fit or is none of the model's.
    """
    from safetensors.torch import load_file  # noqa: PLC0415  # comes with transformers, not with torch

    try:
        if (directory / _ADAPTER).is_file():
            from peft import set_peft_model_state_dict  # noqa: PLC0415  # only where an adapter is trained

            set_peft_model_state_dict(model, load_file(directory / _ADAPTER))
            return
        for file in _files(directory):
            # Tied weights are saved once, shards one by one: a name may be missing, but none may be left over.
            unknown = model.load_state_dict(load_file(file), strict=False).unexpected_keys
            if unknown:
                raise ActionError(f"{file} is of another model: this one has no {unknown[0]}")
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ActionError(f"{directory}: weights cannot be loaded: {' '.join(str(error).split())[:200]}") from error


def _files(directory: Path) -> list[Path]:
    if (directory / _WHOLE).is_file():
        return [directory / _WHOLE]
    if not (directory / _INDEX).is_file():
        raise ActionError(f"{directory} holds no {_WHOLE}, {_INDEX} or {_ADAPTER}: save with safetensors")
    index = json.loads((directory / _INDEX).read_text(encoding="utf-8"))
    return sorted({directory / Path(name).name for name in index["weight_map"].values()})
