"""From rows to series: one a key, with the steps of the log and the blanks that matter."""

import re
from collections.abc import Callable, Iterator

from audioloss_cli.readers.jsonl.rows import Row
from audioloss_cli.readers.jsonl.steps import StepColumn
from audioloss_cli.records import MISSING, Defect, SeriesCollector

_HELD_OUT = re.compile(r"(?<![a-z])(?:eval|evaluation|val|valid|validation|test|dev|predict)(?![a-z])", re.IGNORECASE)
_LEARNING_RATE = re.compile(r"(?<![a-z])(?:lr|learning_?rate)(?![a-z])", re.IGNORECASE)


class Table(SeriesCollector):
    """Collects the columns of one file."""

    def __init__(self, column: StepColumn, path: str, wanted: Callable[[str], bool] | None = None) -> None:
        super().__init__(column.source, wants=wanted)
        self._column = column
        self._path = path
        self._step = 0
        self._inner: dict[str, list[str]] = {}  # key -> keys below it that have held a number, itself included
        self._beside: dict[str, set[str]] = {}  # key -> keys that had a number in a row in which it had one
        self._blank_beside: dict[str, set[str]] = {}  # key -> keys that had none in a row in which it had one
        self._never: dict[str, tuple[int, float]] = {}  # key that has only ever been null -> step and time of the first

    def add(self, row: Row) -> Iterator[Defect]:
        """Take in one row; a Defect if its step is none."""
        try:
            self._step = self._column.step(row, self._step)
        except ValueError as error:
            yield Defect(
                self._path, "malformed", f"{error}; the row was read as one of step {self._step}", None, row.line
            )
        for key in self._missing(row):
            self.append(key, self._step, MISSING, row.wall_time)
        for key, value in row.numbers:
            if key != self._column.key:
                self.append(key, self._step, value, row.wall_time)
        self._learn(row)

    def end(self) -> None:
        """Call after the last row: a key that was never anything but null is told as one missing value."""
        for key, (step, wall_time) in self._never.items():
            self.append(key, step, MISSING, wall_time)

    def _learn(self, row: Row) -> None:
        here = {key for key, _ in row.numbers}
        for key in here - self._beside.keys():
            parts = key.split("/")
            for depth in range(1, len(parts) + 1):
                outer = "/".join(parts[:depth])
                self._never.pop(outer, None)
                self._inner.setdefault(outer, []).append(key)
        for key in here:
            beside = self._beside.setdefault(key, set())
            if not here <= beside:
                beside |= here
            if row.blanks:
                self._blank_beside.setdefault(key, set()).update(row.blanks)
        for key in row.nulls:
            if key not in self._inner:
                self._never.setdefault(key, (self._step, row.wall_time))

    def _missing(self, row: Row) -> list[str]:
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
        return any(_LEARNING_RATE.search(other) for other in row.blanks if other in self._beside[key])
