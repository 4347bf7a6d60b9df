"""The limits that the customer's contract names, checked once."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds in the unit of the logged loss (nats for a cross entropy), and a window in training steps.

    A value strictly below a threshold counts.

    Raises:
        ValueError: a threshold that is NaN, infinite or negative; critical above warning; a window that is not a whole
            number of at least 1.
    """

    window_size: int = 100
    threshold: float = 0.01
    critical_threshold: float = 0.005

    def __post_init__(self) -> None:
        if isinstance(self.window_size, bool) or not isinstance(self.window_size, int) or self.window_size < 1:
            raise ValueError(f"window_size must be a whole number of steps, at least 1, not {self.window_size!r}")
        for name in ("threshold", "critical_threshold"):
            check_threshold(name, getattr(self, name))
        if self.critical_threshold > self.threshold:
            raise ValueError(
                f"critical_threshold ({self.critical_threshold:g}) must not be above threshold ({self.threshold:g}): "
                "a critical loss is lower than a warning"
            )

    def scaled(self, scale: float) -> "Limits":
        """The same limits for a loss that is logged ``scale`` times as large (8 for a sum over 8 codebooks)."""
        return Limits(self.window_size, self.threshold * scale, self.critical_threshold * scale)


def check_threshold(name: str, value: float) -> None:
    """Refuse what cannot be a limit of a loss.

    Raises:
        ValueError: not a real number, NaN, infinite or negative.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number, 0 or more, not {value!r}")
