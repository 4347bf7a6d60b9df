"""The limits that the customer's contract names, checked once."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

_LONGEST_WINDOW = 2**62  # steps are int64


class SettingError(ValueError):
    """A setting that makes no sense: which ``field``, and what is wrong with it."""

    def __init__(self, field: str, complaint: str) -> None:
        super().__init__(f"{field} {complaint}")
        self.field = field
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds in the unit of the logged loss (nats for a cross entropy), and a window in training steps.

    A value strictly below a threshold counts.

    Raises:
        SettingError: a ValueError: a threshold that is NaN, infinite or negative; critical above warning; a window that
            is not a whole number of at least 1.
    """

    window_size: int = 100
    threshold: float = 0.01
    critical_threshold: float = 0.005

    def __post_init__(self) -> None:
        size = self.window_size
        if isinstance(size, bool) or not isinstance(size, Integral) or not 1 <= size <= _LONGEST_WINDOW:
            raise SettingError("window_size", f"must be a whole number of steps, at least 1, not {_shown(size)}")
        object.__setattr__(self, "window_size", int(size))
        for name in ("threshold", "critical_threshold"):
            object.__setattr__(self, name, real(name, getattr(self, name)))
        if self.critical_threshold > self.threshold:
            raise SettingError(
                "critical_threshold",
                f"({self.critical_threshold:g}) must not be above the warning threshold ({self.threshold:g}): "
                "a critical loss is lower than a warning",
            )

    def scaled(self, scale: float) -> "Limits":
        """The same limits for a loss that is logged ``scale`` times as large (8 for a sum over 8 codebooks).

        Raises:
            SettingError: the scale is not a finite number above 0.
        """
        factor = real("scale", scale, above_zero=True)
        return Limits(self.window_size, self.threshold * factor, self.critical_threshold * factor)


def real(field: str, value: Any, *, above_zero: bool = False) -> float:
    """A setting as a float.

    Raises:
        SettingError: not a finite number, or below the least that makes sense.
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0 or (above_zero and number == 0):
        least = "above 0" if above_zero else "0 or more"
        raise SettingError(field, f"must be a finite number, {least}, not {_shown(value)}")
    return number


def _shown(value: Any) -> str:
    try:
        return repr(value)[:40]
    except ValueError:  # an int of more digits than Python prints
        return "a number of thousands of digits"
