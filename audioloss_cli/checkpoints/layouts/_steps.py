"""At which step of a training a checkpoint was saved: what names say, and what optimizers and schedulers count."""

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

_NAMED = re.compile(
    r"(?:.*[^a-z])?(?:checkpoint|ckpt|global[-_]?step|global|steps?|iter|iteration|update)s?[-_=]?(?P<step>\d{1,12})(?!\d)(?:[^\d].*)?",
    re.IGNORECASE,
)
_FORMATS = {"F64": "<d", "F32": "<f", "I64": "<q", "I32": "<i"}
_STEPS = ("global_step", "global_steps", "step", "steps", "iteration", "iter", "train_step")
_MOST_STEPS = 1 << 60
_MOST = 2_000  # parameters of an optimizer that are asked for their step


def step_of_name(path: Path) -> int | None:
    """Return the step that the name of a checkpoint tells, such as checkpoint-500 or epoch=1-step=500.ckpt."""
    step = re.search(r"step=(\d{1,12})", path.name) or _NAMED.fullmatch(path.name)
    return int(step[1]) if step else None


def step_of_optimizer(value: Any) -> int | None:
    """Return how often an optimizer has stepped, the most of all its parameters; None where nothing says it."""
    state = value.get("state") if isinstance(value, Mapping) else None
    steps = list(_steps(state)) if isinstance(state, Mapping) else []
    return max(steps, default=None)


def step_of_scheduler(value: Any) -> int | None:
    """Return how often a scheduler has stepped; None of one that counts something else, as those of plateaus do."""
    if not isinstance(value, Mapping) or "num_bad_epochs" in value:
        return None
    step = value.get("last_epoch")
    return step if type(step) is int and step >= 0 else None


def _steps(state: Mapping[Any, Any]) -> Iterator[int]:
    for _, each in zip(range(_MOST), state.values(), strict=False):
        step = each.get("step") if isinstance(each, Mapping) else None
        number = scalar(step) if isinstance(step, StoredTensor) else step
        if isinstance(number, (int, float)) and 0 <= number < _MOST_STEPS and number == int(number):
            yield int(number)


def scalar(tensor: StoredTensor) -> float | int | None:
    """Read the one value of a tensor; None where it has several, or cannot be read."""
    form = _FORMATS.get(tensor.dtype)
    if tensor.elements != 1 or form is None or tensor.entry:
        return None
    try:
        with tensor.file.open("rb") as stream:
            stream.seek(tensor.offset)
            found = stream.read(ITEMSIZES[tensor.dtype])
    except OSError:
        return None
    number: float | int | None = struct.unpack(form, found)[0] if len(found) == ITEMSIZES[tensor.dtype] else None
    return number


def training_step(value: Any) -> int | None:
    """Return the step that a training has put beside its model, under one of the usual names."""
    for name in _STEPS if isinstance(value, Mapping) else ():
        found = value.get(name)
        number = scalar(found) if isinstance(found, StoredTensor) else found
        if type(number) is int and 0 <= number < _MOST_STEPS:
            return number
    return None
