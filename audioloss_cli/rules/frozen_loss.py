"""Audio loss that is the same number again and again.

What: The logged value has been identical, to the last bit, at points (20) points in a row, and is not 0; 10 will do
where a point stands for 100 updates and more, as for an epoch. A value of at most 3 decimals must be identical at ten
times as many, for a logger that rounds repeats itself, unless neighbouring points usually lie ten times as far apart as
its last digit. In a series that is small by nature, values below the warning
threshold do not count. A held-out loss is left out.

Why: Batches differ, so their losses do. A constant is logged where an exception was swallowed and a default returned,
where the loss was computed once and kept, or where a detached copy is logged.

Fix: Compute the loss of two batches by hand. Look for try/except around the loss, for a value that is cached, and for a
variable that is logged but not updated.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory, SettingError, Severity

_LEAST_POINTS = 10
_FAR_APART = 100  # updates from point to point: so many means of others cannot be the same number
_DECIMALS, _PATIENCE, _SINGLE = 3, 10, 1e-7  # of a number that was a float32 once
_APART, _BITS = 10, 8  # last digits; bits of a bfloat16


class Rule(LossRule):
    """Many identical values."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "the loss of two batches, computed by hand"
    group = "frozen-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small", "open", "signed"})

    def __init__(self, limits: Limits, *, points: float = 20) -> None:
        if points < _LEAST_POINTS:
            raise SettingError("rules", f"sets points of frozen-loss to {points:g}; the least is {_LEAST_POINTS}")
        self.points = points
        self._rounded = limits.threshold

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value has been repeated so often."""
        if not math.isfinite(point.value):
            return None
        coarse = history.kind == "small" and abs(point.value) < self._rounded
        rounded = _is_rounded(point.value, _DECIMALS) and not _would_differ(point.value, history)
        points = _LEAST_POINTS if history.stride >= _FAR_APART else self.points
        return history.repeats >= points * (_PATIENCE if rounded else 1) and point.value != 0 and not coarse

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether another value came: how far apart points usually are is forgotten in the meantime."""
        return history.repeats < _LEAST_POINTS

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """The value that is repeated; until it is often enough for any value, it matters how often."""
        value = history.last(1)[0]
        if history.repeats < _LEAST_POINTS:
            return []
        return [value, math.nextafter(value, math.inf)] if history.repeats >= self.points * _PATIENCE else None

    def worse(self, value: float, than: float) -> bool:
        """They are all the same."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value and how often it was logged."""
        return f"loss has been exactly {point.value!r} at {history.repeats} points in a row up to step {point.step}"


def _is_rounded(value: float, decimals: int) -> bool:
    """Whether it has no more decimals."""
    return abs(round(value, decimals) - value) <= _SINGLE * abs(value)


def _would_differ(value: float, history: SeriesHistory) -> bool:
    """Whether neighbours usually lie so far apart that the last digit of a rounded value cannot stay by chance."""
    fewest = next(decimals for decimals in range(_DECIMALS + 1) if _is_rounded(value, decimals))
    mantissa, exponent = math.frexp(value)
    digits = mantissa * (1 << _BITS)
    last = 2.0 ** (exponent - _BITS) if digits == int(digits) else 0.0  # of a bfloat16
    usual = history.level or math.inf  # of a loss that has fallen far, the noise has as well
    apart = max(history.spread, history.earlier_spread) * min(abs(value) / usual, 1.0)
    return apart >= _APART * max(10.0**-fewest, last)
