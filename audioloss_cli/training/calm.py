"""Losses that look calm wait until there are some of them.

The monitors run several times as fast on many points in a row as on one between two training steps, whose code is in no
cache. What does not look calm is taken in at once, with all that waits: calm is what lies near what the monitor takes
for usual, which trouble does not change.
"""

import math
from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from audioloss_cli.model import Limits, SettingError
from audioloss_cli.training.slots import CODEBOOKS

#: What stands beside an audio loss of the short way: the losses by codebook, the total, the text loss, and the norm of
#: the gradients; whichever there is.
Parts = tuple[list[float], float | None, float | None, float | None]
#: Step, Unix seconds, the audio loss (NaN for none), and what there is beside it: nothing, parts, or all by name.
Waiting = tuple[int, float, float, Parts | Mapping[str, float] | None]
Short = tuple[int, float, float, Parts | None]

_FACTOR = 2.0  # to either side of what is usual, within which a value may wait
# While the monitor does not know what is usual: so many points may wait, and after so many handed over all that may.
_FEW, _EARLY = 8, 128
_SECONDS = 10.0  # what waits is handed over after so many, however few there are
_WITH_RANKS = 128  # several ranks must hand over at the same step, which their clocks would not; then so many may wait


class Calm:
    """What waits, and what may.

    Args:
        limits: whose warning threshold no waiting value lies below.
        at_once: how many are handed on together.

    Attributes:
        waiting: in the order of the steps.
        low, high: a calm loss lies between them, both included.
        last: the loss before; a repetition is not calm.
        room: how many may wait.
        due: Unix seconds from which on none may.
        threshold: of a warning.
    """

    __slots__ = ("_handed", "_mean", "_most", "due", "high", "last", "low", "room", "threshold", "waiting")

    def __init__(self, limits: Limits, at_once: int) -> None:
        if at_once < 1:
            raise SettingError("at_once", f"must be at least 1, not {at_once}")
        self.waiting: list[Waiting] = []
        self.low, self.high, self.last = math.inf, -math.inf, math.nan
        self.room = self._most = at_once - 1
        self.threshold, self._handed, self._mean, self.due = limits.threshold, 0, math.nan, math.inf

    def put(self, step: int, values: Mapping[str, float], *, alone: bool = True) -> bool:
        """Take in the losses of a step; whether they may wait. ``alone``: not beside other ranks, which do the same."""
        audio, now = values.get("audio", math.nan), time()
        self.waiting.append((step, now, audio, _beside(values)))
        may = now < self.due if alone else len(self.waiting) < _WITH_RANKS
        return self._looks_calm(values) and may and len(self.waiting) <= self.room

    def hand_over(self) -> list[Waiting]:
        """All that waits; ``expect`` comes next."""
        waiting, self.waiting[:] = self.waiting[:], ()
        finite = [audio for _, _, audio, _ in waiting if audio - audio == 0]
        self._mean = sum(finite) / len(finite) if finite else math.nan
        self._handed += len(waiting)
        return waiting

    def expect(self, usual: float | None) -> None:
        """What is usual from now on; None where the monitor does not know: early on, and of losses that are below 0.

        Then it is the mean of what was handed over last, though a collapse may be what that is: so early, few wait.
        """
        self.room = self._most if usual is not None or self._handed >= _EARLY else min(self._most, _FEW - 1)
        usual = self._mean if usual is None else usual
        self.low, self.high = max(usual / _FACTOR, self.threshold), usual * _FACTOR
        self.due = time() + _SECONDS

    def state_dict(self) -> list[list[Any]]:
        """What waits, as plain built-in types: step, Unix seconds, and the losses by name. It waits on."""
        return [[step, now, named(audio, values)] for step, now, audio, values in self.waiting]

    def load_state_dict(self, state: Sequence[Sequence[Any]]) -> None:
        """Wait for the next loss, which takes all along: what is usual is not known any more."""
        self.waiting[:] = [(step, now, values.get("audio", math.nan), _beside(values)) for step, now, values in state]
        self.low, self.high, self.last = math.inf, -math.inf, math.nan

    def _looks_calm(self, values: Mapping[str, float]) -> bool:
        """Near what was usual, no repetition, no codebook that is low, and a number wherever one is expected."""
        value = values.get("audio", math.nan)
        if "audio" not in values and math.isfinite(values.get("total", math.nan)):
            return values.keys().isdisjoint(("gone", "logged", "trained"))
        last, self.last = self.last, value
        if not self.low <= value <= self.high or value == last or "logged" in values or "trained" in values:
            return False
        if len(values) == 1:
            return True
        books = [values[name] for name in CODEBOOKS if name in values]
        return math.isfinite(sum(values.values())) and (not books or min(books) >= self.threshold)


def _beside(values: Mapping[str, float]) -> Mapping[str, float] | None:
    return None if len(values) == 1 and "audio" in values else values


def named(audio: float, values: Parts | Mapping[str, float] | None) -> dict[str, float]:
    """All of the losses by name."""
    if values is None:
        return {"audio": audio}
    if not isinstance(values, tuple):
        return dict(values)
    books, total, text, grad_norm = values
    others = {"audio": audio, "total": total, "text": text, "grad_norm": grad_norm}
    return dict(zip(CODEBOOKS, books, strict=False)) | {name: each for name, each in others.items() if each is not None}


def has_names(row: Waiting) -> bool:
    """Whether the losses have names; else it is a ``Short``."""
    return not (row[3] is None or type(row[3]) is tuple)
