"""Lower the learning rate for the rest of the run."""

from typing import Any

from audioloss_cli.training.case import ActionError, Case

EVERY_RANK = True


def act(case: Case, factor: float = 0.5) -> str:
    """Multiply it by ``factor``, in the optimiser and in what its schedulers start from.

    Raises:
        ActionError: the factor is not between 0 and 1, or no optimiser is known.
    """
    if not (isinstance(factor, (int, float)) and 0 < factor < 1):
        raise ActionError(f"factor must lie between 0 and 1, not {factor!r}")
    groups = [group for optimizer in case.loop.optimizers for group in optimizer.param_groups]
    if not groups:
        raise ActionError("no optimiser is known: give optimizer= to the guard")
    before = float(groups[0]["lr"])
    for group in groups:
        group["lr"] *= factor
        if "initial_lr" in group:
            group["initial_lr"] *= factor
    for scheduler in case.loop.schedulers:
        _scale(scheduler, factor)
    return f"learning rate from {before:.3g} to {float(groups[0]['lr']):.3g}"


def _scale(scheduler: Any, factor: float) -> None:
    """Closed schedules start from ``base_lrs`` at every step; those in a row have schedulers of their own."""
    inner = getattr(scheduler, "scheduler", scheduler)  # Accelerate wraps it
    if hasattr(inner, "base_lrs"):
        inner.base_lrs = [rate * factor for rate in inner.base_lrs]
    for each in getattr(inner, "_schedulers", ()):
        _scale(each, factor)
