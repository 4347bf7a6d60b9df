"""Putting a run back in place: which checkpoint was written before anything went wrong, and its weights and optimiser.

Of a model of which each rank holds a part, none has whole weights: what one rank does to its own tensors alone would be
wrong for the others.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from audioloss_cli.model import Incident
from audioloss_cli.probe.model_io.signature import unwrapped
from audioloss_cli.training.response.alert_context import ActionError

#: What schedulers compute from in the groups of an optimiser, beside the rate itself (OneCycleLR, SWALR).
IN_GROUPS = ("initial_lr", "max_lr", "min_lr", "swa_lr")
_WHOLE, _INDEX, _ADAPTER = "model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"
_WRAPPERS = ("FullyShardedDataParallel", "DeepSpeedEngine")
_OF_ZERO_3 = "ds_id"  # an attribute that DeepSpeed gives to parameters of which the rank may hold nothing


class Checkpoints:
    """Step and path of each.

    Attributes:
        written: in the order of writing.
        find: where a framework does not tell what it writes: looks for more when they are needed.
    """

    def __init__(self) -> None:
        self.written: list[tuple[int, str]] = []
        self.find: Callable[[], Iterable[tuple[int, str]]] = tuple

    def add(self, step: int, path: str | Path) -> None:
        """One was written, or found on resuming."""
        entry = (step, str(path))
        if entry not in self.written:
            self.written.append(entry)

    def last_healthy(self, incidents: Iterable[tuple[int, Incident]]) -> str | None:
        """The last that still exists and that no incident touches: none was pending, and none fired, at its step.

        Args:
            incidents: each with the last step of its series that came before it.
        """
        troubled = list(incidents)
        healthy = [
            path
            for step, path in sorted({*self.written, *self.find()})
            if Path(path).exists() and not any(_touches(*each, step) for each in troubled)
        ]
        return healthy[-1] if healthy else None


def _touches(before: int, incident: Incident, step: int) -> bool:
    """From its first bad point on, though the monitor spoke later.

    The weights that are saved after a step are tried by the loss that comes next: that must have been good as well. It
    may come several steps later, as where each of two optimisers counts, or where a loss is logged now and then.
    """
    return step >= before and (incident.resolved_step is None or step < incident.resolved_step)


def load_optimizer(optimizer: Any, state: dict[str, Any]) -> None:
    """Moments and step counts as they were; the learning rate and its schedule stay what they were made since."""
    rates = [{name: group[name] for name in ("lr", *IN_GROUPS) if name in group} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, own in zip(optimizer.param_groups, rates, strict=True):
        group.update(own)


def forget_moments(optimizers: Iterable[Any]) -> None:
    """For want of saved ones: moments of a gradient that was NaN would ruin the restored weights at the next step."""
    for optimizer in optimizers:
        for state in optimizer.state.values():
            moments = [
                each
                for name, each in state.items()
                if name != "step" and isinstance(each, torch.Tensor) and each.is_floating_point()
            ]
            if not all(bool(torch.isfinite(each).all()) for each in moments):
                for each in moments:
                    each.zero_()


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
        files = _files(directory)
        # A compiled model may be saved under its own names or with a prefix. All are looked at before any is loaded.
        own = next((each for each in (model, unwrapped(model)) if not _unknown(each, files)), None)
        if own is None:
            _load_renamed(unwrapped(model), directory, _unknown(model, files))
            return
        for file in files:
            # Tied weights are saved once, shards one by one: a name may be missing, but none may be left over.
            own.load_state_dict(load_file(file), strict=False)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ActionError(f"{directory}: weights cannot be loaded: {' '.join(str(error).split())[:200]}") from error


def _unknown(model: Any, files: list[Path]) -> str:
    """The first name in the files that the model does not have; empty if it has all."""
    from safetensors import safe_open  # noqa: PLC0415

    known = model.state_dict().keys()
    for file in files:
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118  # it is no mapping
                if name not in known:
                    return f"{file} is of another model: this one has no {name}"
    return ""


def _load_renamed(model: Any, directory: Path, unknown: str) -> None:
    """By way of a second model: transformers saves some families under names of old, which it alone takes back.

    Of those that the project knows it is CSM, for the sake of the codec inside.
    """
    if not hasattr(model, "from_pretrained"):
        raise ActionError(unknown)
    saved, told = type(model).from_pretrained(directory, output_loading_info=True)
    if told["unexpected_keys"] or told["missing_keys"]:
        raise ActionError(unknown)
    model.load_state_dict(saved.state_dict())


def _files(directory: Path) -> list[Path]:
    if (directory / _WHOLE).is_file():
        return [directory / _WHOLE]
    if not (directory / _INDEX).is_file():
        raise ActionError(f"{directory} holds no {_WHOLE}, {_INDEX} or {_ADAPTER}: save with safetensors")
    index = json.loads((directory / _INDEX).read_text(encoding="utf-8"))
    return sorted({directory / Path(name).name for name in index["weight_map"].values()})


def forget_gradients(optimizer: Any, scaler: Any = None) -> None:
    """A parameter without a gradient is left alone by every optimiser of torch, weight decay included.

    A scaler of losses (fp16) raises at the step of an optimiser in whose gradients it never looked for infinities, as
    where nothing is clipped, or where a fused optimiser does it by itself. So it looks at them now.

    Args:
        optimizer: torch's, or Accelerate's around it.
        scaler: a ``torch.amp.GradScaler``, if there is any.
    """
    if scaler is not None:
        with suppress(RuntimeError):  # it has looked at them already: no public attribute says so
            scaler.unscale_(getattr(optimizer, "optimizer", optimizer))
    optimizer.zero_grad(set_to_none=True)


def is_sharded(model: Any) -> bool:
    """Whether one rank alone can neither run it nor write or read its weights: FSDP, also of parts of it, and ZeRO."""
    if any(type(each).__name__ in _WRAPPERS for each in model.modules()):
        return True
    return any(type(each).__name__ == "DTensor" or hasattr(each, _OF_ZERO_3) for each in model.parameters())


def refuse_sharded(model: Any, remedy: str) -> None:
    """Before weights are written or read rank by rank.

    Raises:
        ActionError: the model is sharded.
    """
    if is_sharded(model):
        raise ActionError(f"the model is sharded over the ranks, of which none has whole weights: {remedy}")
