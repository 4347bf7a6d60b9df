"""What kind of loss a series is: declared, or guessed from how it starts, and the guess is taken back when in doubt."""

import math
from typing import Any

from audioloss_cli.model import InactiveRange, Limits
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.rule import Kind

# In warning thresholds, so that a scale applies: 0.01 gives 0.03 to 0.5, and 1.
_SMALL_FROM, _SMALL_TO, _TOO_LARGE = 3.0, 50.0, 100.0
_NEGATIVE = 0.01
# A cross entropy whose first points were not logged may start as low, but it does not stay: a leak falls from 0.08 to
# 0.0014 within 500 steps, a legitimate small loss from 0.05 to 0.002 over a whole run.
_EARLY_STEPS, _EARLY_FALL, _ANY_FALL = 1000, 32.0, 200.0


class KindGuess:
    """The kind of one series: what is declared, or else a cross entropy wherever there is doubt.

    Guessing one of 1026 codes costs 6.93 nats, and no cross entropy starts at 0.05 or below 0. A series that does is
    small by nature (``small``), or no cross entropy at all (``signed``: it may be negative). What is declared ``open``
    is guessed as well, and stays open in doubt; any other kind that is declared stays.

    Attributes:
        kind: see ``audioloss_cli.model.rule.Kind``.
        reason: why it is not taken for a cross entropy; empty if it is.
        open: whether a value may still change the kind.
        inactive: where no value can.
    """

    def __init__(self, limits: Limits, kind: Kind | None, reason: str = "", axis: TimeAxis = STEPS) -> None:
        self._early = axis.span_of(_EARLY_STEPS) - 1
        self._unit = limits.threshold
        self.kind: Kind = kind or "ce"
        self.reason = reason
        self.open = kind in (None, "open")
        self._in_doubt = self.kind
        self._declared = not self.open
        self.inactive = InactiveRange()
        self._first: tuple[int, float] | None = None

    def see(self, step: int, value: float) -> bool:
        """Take in a value; whether the kind has changed."""
        if not self.open or not math.isfinite(value):
            return False
        if self._first is None:
            self._first = (step, value)
            self._guess(value)
            return True
        return self._doubt(step, value)

    def _guess(self, value: float) -> None:
        small = _SMALL_FROM * self._unit <= value <= _SMALL_TO * self._unit
        if value < -_NEGATIVE * self._unit:
            self._settle("signed", f"it starts at {value:.4g}, and no cross entropy is negative")
        elif small and self._unit > 0:
            self.kind = "small"
            self.reason = f"it starts at {value:.4g}, which is no cross entropy over codes"
            self.inactive = InactiveRange(value / _EARLY_FALL, _TOO_LARGE * self._unit)
        else:
            self._settle(self._in_doubt, "")

    def _doubt(self, step: int, value: float) -> bool:
        """A small loss that grows large, or falls as only a trivial task does, was none."""
        if self.inactive.low <= value < self.inactive.high or self._first is None:
            return False
        begin, first = self._first
        fall = _EARLY_FALL if step - begin <= self._early else _ANY_FALL
        if first / fall <= value < self.inactive.high:
            return False
        self._settle(self._in_doubt, "")
        return True

    def _settle(self, kind: Kind, reason: str) -> None:
        self.kind, self.reason, self.open, self.inactive = kind, reason, False, InactiveRange()

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "open": self.open,
            "first": None if self._first is None else list(self._first),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken; a kind that is declared stays as declared."""
        if self._declared:
            return
        self._first = None
        self.open = True
        if state["first"] is not None:
            self._first = (int(state["first"][0]), float(state["first"][1]))
            self._guess(self._first[1])
        if not state["open"]:
            self._settle(state["kind"], state["reason"])
