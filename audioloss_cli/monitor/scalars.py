"""What callers pass as a loss and a step, as the built-in numbers that the monitor works on."""

import operator
from collections.abc import Mapping
from typing import Any

from audioloss_cli.model import MISSING

INT64 = range(-(2**63), 2**63)


def as_loss(loss: Any) -> float:
    """A float, an int, a numpy scalar or a 0-d torch tensor as a float; None as ``MISSING``.

    Reading a tensor that lives on a GPU waits for the GPU.

    Raises:
        TypeError: anything else, such as a string or an array of several values.
    """
    if type(loss) is float:
        return loss
    if loss is None:
        return MISSING
    shape = getattr(loss, "shape", ())
    if isinstance(loss, (str, bytes, bytearray, complex)) or len(shape) > 0:
        raise TypeError(_complaint("loss", "one number", loss))
    try:
        # item(), because float() of a tensor that requires a gradient warns
        return float(loss.item() if hasattr(loss, "item") else loss)
    except OverflowError:  # an int beyond float64
        return float("inf") if loss > 0 else float("-inf")
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(_complaint("loss", "one number", loss)) from None


def as_beside(beside: Mapping[str, Any]) -> dict[str, float]:
    """What stands beside a loss, without what was not logged.

    Raises:
        TypeError: a value that is not one number.
    """
    found: dict[str, float] = {}
    for name, value in beside.items():
        if value is not None:
            found[name] = value if type(value) is float else as_loss(value)
    return found


def as_step(step: Any) -> int:
    """A whole number in the range of int64 as an int; 3.0 counts as one.

    Raises:
        TypeError: not a whole number.
        ValueError: beyond int64.
    """
    if type(step) is int and step in INT64:
        return step
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    try:
        number = operator.index(step)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(_complaint("step", "a whole number", step)) from None
    if number not in INT64:
        raise ValueError(f"step {number} does not fit in 64 bits")
    return number


def _complaint(name: str, wanted: str, got: Any) -> str:
    shape = getattr(got, "shape", None)
    described = f"{type(got).__name__} of shape {tuple(shape)}" if shape is not None else repr(got)[:60]
    return f"{name} must be {wanted}, not {described}"
