"""What the steps of a series count: updates of the weights, or something else of which an update takes some or many."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal, NamedTuple

AxisUnit = Literal["step", "sample", "token", "epoch", "point"]
# An epoch of an audio language model takes hundreds to thousands of updates; this many where the log does not say.
UPDATES_OF_AN_EPOCH = 1000


class EpochStart(NamedTuple):
    """Where an epoch begins on an axis that counts on: its first possible step there, and its number in the log."""

    step: int
    epoch: int


@dataclass(frozen=True, slots=True)
class TimeAxis:
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

    def of_updates(self, updates: float) -> float:
        """Return how far the axis moves in so many updates."""
        return updates * self.per_update

    def place(self, step: int) -> str:
        """Return where a step lies in its epoch, in words; empty where steps do not start anew in each epoch."""
        index = bisect_right(self.epochs, step, key=lambda start: start.step) - 1
        if index < 0:
            return ""
        start = self.epochs[index]
        return f"epoch {start.epoch}, step {step - start.step:,} of it"


STEPS = TimeAxis()
