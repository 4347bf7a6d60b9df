"""Lower the learning rate for the rest of the run."""

import re
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from audioloss_cli.training.response.alert_context import ActionError, AlertContext
from audioloss_cli.training.response.restore import IN_GROUPS

EVERY_RANK = True

# What schedulers compute from of their own.
_OWN = ("base_lrs", "max_lrs", "eta_min")
_FLOORS = ("min_lrs", "default_min_lr")  # of ReduceLROnPlateau, which never goes up to them
_RATE = re.compile(r"(?:^|_)lrs?$|^lrs?_(?:max|min|start|end|init|peak|base)$")


def act(case: AlertContext, factor: float = 0.5) -> str:
    """Multiply it by ``factor``, in the optimiser and in what its schedulers compute from.

    Raises:
        ActionError: the factor is not between 0 and 1, no optimiser is known, or a scheduler would put the rate back.
    """
    if not (isinstance(factor, (int, float)) and 0 < factor < 1):
        raise ActionError(f"factor must lie between 0 and 1, not {factor!r}")
    groups = [group for optimizer in case.loop.optimizers for group in optimizer.param_groups]
    if not groups:
        raise ActionError("no optimiser is known: give optimizer= to the guard")
    schedulers = [each for scheduler in case.loop.schedulers for each in _single(scheduler)]
    for each in schedulers:  # all of them, before anything is changed
        _check(each)
    before = float(groups[0]["lr"])
    for rate in {id(group["lr"]): group["lr"] for group in groups if isinstance(group["lr"], Tensor)}.values():
        rate.mul_(factor)  # in place, for a graph may read it; groups may share it
    for group in groups:
        if not isinstance(group["lr"], Tensor):
            group["lr"] *= factor
        group.update({name: _scaled(group[name], factor) for name in IN_GROUPS if name in group})
    for each in schedulers:
        vars(each).update({name: _scaled(vars(each)[name], factor) for name in _OWN if name in vars(each)})
    return f"learning rate from {before:.3g} to {float(groups[0]['lr']):.3g}"


def _single(scheduler: Any) -> Iterator[Any]:
    """Those in a row, or in a chain, have schedulers of their own."""
    inner = getattr(scheduler, "scheduler", scheduler)  # Accelerate wraps it
    for each in getattr(inner, "_schedulers", ()):
        yield from _single(each)
    if not hasattr(inner, "_schedulers") or hasattr(inner, "base_lrs"):
        yield inner


def _check(scheduler: Any) -> None:
    """A schedule that starts from numbers of its own would have the old rate back at its next step."""
    held = vars(scheduler)
    if "base_lrs" not in held and "min_lrs" not in held:
        why = "it has no base_lrs"
    else:
        others = [name for name, value in held.items() if _is_rate(name) and _is_number(value)]
        why = f"it computes from {', '.join(others)}" if others else ""
    if why:
        raise ActionError(f"{type(scheduler).__name__} would put the learning rate back: {why}; lower it there")


def _is_rate(name: str) -> bool:
    """By its words, among public attributes that are not known; ``lr_decay`` is none."""
    return not name.startswith("_") and name not in (*_OWN, *_FLOORS) and bool(_RATE.search(name))


def _is_number(value: Any) -> bool:
    """Or a list of them; a lambda or a flag is none."""
    if isinstance(value, (list, tuple)):
        return any(map(_is_number, value))
    return isinstance(value, (int, float, Tensor)) and not isinstance(value, bool)


def _scaled(rates: Any, factor: float) -> Any:
    return type(rates)(rate * factor for rate in rates) if isinstance(rates, (list, tuple)) else rates * factor
