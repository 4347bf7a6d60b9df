"""What the rows of a log have taught about its keys, and which blanks therefore stand for a missing number."""

import re
from typing import Any

from audioloss_cli.readers._rows.row import Row

_HELD_OUT = re.compile(r"(?<![a-z])(?:eval|evaluation|val|valid|validation|test|dev|predict)(?![a-z])", re.IGNORECASE)
_LEARNING_RATE = re.compile(r"(?<![a-z])(?:lr|learning_?rate)(?![a-z])", re.IGNORECASE)


class Learnt:
    """What was learnt row by row.

    It only ever grows, and a row of which one with the same keys was learnt teaches nothing: fast paths rely on that.

    Attributes:
        version: changes whenever ``missing`` may answer differently than before.
        never: key that has only ever been null -> step and wall time of its first row.
    """

    def __init__(self) -> None:
        self.version = 0
        self.never: dict[str, tuple[int, float]] = {}
        self._inner: dict[str, list[str]] = {}  # key -> keys below it that have held a number, itself included
        self._beside: dict[str, set[str]] = {}  # key -> learning rates in a row in which it had a number
        self._blank_beside: dict[str, set[str]] = {}  # key -> keys that had none in a row in which it had one
        self._last: object = None  # the keys of the row that was learnt last

    def learn(self, row: Row, step: int) -> None:
        """Take in one row."""
        keys = [key for key, _ in row.numbers], row.blanks, row.nulls
        if keys == self._last:
            return
        self._last = keys
        here = {key for key, _ in row.numbers}
        rates, blanks = {key for key in here if _LEARNING_RATE.search(key)}, set(row.blanks)
        for key in here - self._beside.keys():
            self._begin(key)
        for key in here:
            self._extend(self._beside, key, rates)
            if blanks:
                self._extend(self._blank_beside, key, blanks)
        for key in row.nulls:
            if key not in self._inner:
                self.never.setdefault(key, (step, row.wall_time))

    def _begin(self, key: str) -> None:
        parts = key.split("/")
        for depth in range(1, len(parts) + 1):
            outer = "/".join(parts[:depth])
            self.never.pop(outer, None)
            self._inner.setdefault(outer, []).append(key)

    def _extend(self, known: dict[str, set[str]], key: str, others: set[str]) -> None:
        found = known.setdefault(key, set())
        if not others <= found:
            found |= others
            self.version += 1

    def missing(self, row: Row) -> list[str]:
        """The keys whose number the row says is missing."""
        known = dict.fromkeys(key for blank in row.blanks for key in self._inner.get(blank, ()))
        here = {key for key, _ in row.numbers} if known else set()
        return [key for key in known if key not in here and not self._of_another_kind(row, key)]

    def _of_another_kind(self, row: Row, key: str) -> bool:
        """Whether the row is one in which the key has nothing to say, such as an evaluation row.

        Logs with fixed columns (LLaMA-Factory's) write null for everything that does not belong to the kind of row at
        hand: the training loss is null in each evaluation row and in the closing summary. Such a row has a number in a
        held-out column, or in one that was itself blank beside a number of this key, or it lacks the learning rate that
        always stood beside one. A new column is no such sign: a counter of bad batches appears just when the loss turns
        into null. Nor is a gradient norm that is null too.
        """
        elsewhere = self._blank_beside.get(key, set())
        if any(_HELD_OUT.search(other) or other in elsewhere for other, _ in row.numbers):
            return True
        return any(other in self._beside[key] for other in row.blanks)

    @property
    def size(self) -> int:
        """How many names it holds."""
        return sum(len(names) for known in (self._inner, self._beside, self._blank_beside) for names in known.values())

    def state(self) -> dict[str, Any] | None:
        """What ``resume`` needs, in types that JSON knows; None while a key was never anything but null.

        Such a key has been told as missing by then, which a number further on takes back.
        """
        if self.never:
            return None
        return {
            "inner": self._inner,
            "beside": {key: sorted(others) for key, others in self._beside.items()},
            "blank_beside": {key: sorted(others) for key, others in self._blank_beside.items()},
        }

    @classmethod
    def resume(cls, state: dict[str, Any]) -> "Learnt":
        """What was known when ``state`` was asked for."""
        learnt = cls()
        learnt._inner = {key: list(inner) for key, inner in state["inner"].items()}
        learnt._beside = {key: set(others) for key, others in state["beside"].items()}
        learnt._blank_beside = {key: set(others) for key, others in state["blank_beside"].items()}
        return learnt
