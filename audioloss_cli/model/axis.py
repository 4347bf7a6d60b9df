"""What the steps of a series count: updates of the weights, or something else of which an update takes some or many."""

import math
from bisect import bisect_right
from typing import Literal, NamedTuple

AxisUnit = Literal["step", "sample", "token", "epoch", "point"]
# An epoch of an audio language model takes hundreds to thousands of updates; this many where the log does not say.
UPDATES_OF_AN_EPOCH = 1000


class EpochStart(NamedTuple):
    """Where an epoch begins on an axis that counts on: its first possible step there, and its number in the log."""

    step: int
    epoch: int


class TimeAxis(NamedTuple):
    """What a step means, and how rules count their patience on it.

    Attributes:
        unit: ``step`` for updates of the weights, ``sample`` and ``token`` for what these have seen, ``epoch`` for one
            row an epoch, ``point`` for calls of the logger.
        per_update: how far the axis moves in one update: 512 for batches of 512 samples, 0.001 for epochs of 1,000.
        reason: what says so, as a clause for the report; empty for plain steps.
        epochs: where steps start anew in each epoch and are counted on: where each one begins, in order.
    """

    unit: AxisUnit = "step"
    per_update: float = 1.0
    reason: str = ""
    epochs: tuple[EpochStart, ...] = ()

    def span_of(self, updates: int) -> int:
        """Return how many values of the axis a window of so many updates has, at least 1."""
        return math.ceil((updates - 1) * self.per_update) + 1

    def updates_in(self, distance: int) -> float:
        """Return in how many updates the axis moves so far."""
        return distance if self.per_update == 1 else distance / self.per_update

    def remark(self, step: int) -> str:
        """Return what a message about a step must add for a reader to find its place; empty for plain steps."""
        if self.epochs:
            return f" ({self.place(step)})" if self.place(step) else ""
        return "" if self.unit not in _REMARKS else f" ({_REMARKS[self.unit]})"

    def place(self, step: int) -> str:
        """Return where a step lies in its epoch, in words; empty where steps do not start anew in each epoch."""
        index = bisect_right(self.epochs, step, key=lambda start: start.step) - 1
        if index < 0:
            return ""
        start = self.epochs[index]
        return f"epoch {start.epoch}, step {step - start.step:,} of it"


_REMARKS = {"sample": "steps are samples", "token": "steps are tokens", "epoch": "steps are epochs"}
STEPS = TimeAxis()
