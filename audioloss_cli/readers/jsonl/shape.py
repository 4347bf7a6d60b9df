"""A typed decoder for the rows of one kind, built from one of them.

msgspec reads a line into a struct with exactly these keys and types, and refuses every other line: a missing or a new
key, null for a number, a number for text, NaN, damage. It checks all of JSON's grammar while it is at it, and reads a
number to the same bits as ``float``. What it accepts therefore has the keys and the kinds of values of the row that the
slow path saw before, and teaches nothing new about the log. A few columns are taken from it: the wanted ones, the step,
the wall time, and texts, for a text may turn into one that spells a number.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.numbers import number, seconds
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Run
from audioloss_cli.readers.jsonl.kinds import EXACT, IN_SECONDS, Clock, Kind, Leaf, Tree

# A name that is written out is read from a struct three times as fast as one that is looked up. No loop can write it.
_BY_NAME: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "c0": lambda rows: [row.c0 for row in rows],
    "c1": lambda rows: [row.c1 for row in rows],
    "c2": lambda rows: [row.c2 for row in rows],
    "c3": lambda rows: [row.c3 for row in rows],
    "c4": lambda rows: [row.c4 for row in rows],
    "c5": lambda rows: [row.c5 for row in rows],
    "c6": lambda rows: [row.c6 for row in rows],
    "c7": lambda rows: [row.c7 for row in rows],
}

_Way = tuple[str | int, ...]


class RunError(Exception):
    """Not all of the rows are of this kind after all."""


class Shape:
    """Rows of one kind.

    Attributes:
        line: one of them, without its newline.
        tree: what stands in each place.
        step: where the step is.
        wants: whether the numbers of a key are asked for.
    """

    def __init__(
        self, line: bytes, tree: dict[str, Tree], row: Row, step: StepColumn, wants: Callable[[str], bool]
    ) -> None:
        """Build the decoder.

        Raises:
            ValueError: msgspec cannot have such keys.
        """
        self._row = row  # only its keys hold for the others
        self._missing, self._version = list[str](), -1
        self.line = line
        self.tree = tree
        self.step = step
        self.wants = wants
        self._leaves = list[tuple[Leaf, _Way]]()
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct(tree, ())).decode
        self._refusals = (msgspec.MsgspecError, ValueError, RecursionError)

    def accept(self, lines: Iterator[bytes], rows: list[Any]) -> None:
        """Append the structs of the next lines; the first that is of another kind is taken from ``lines``, and lost."""
        with suppress(*self._refusals):
            rows.extend(map(self._decode, lines))  # keeps what came before the refusal

    def missing(self, learnt: Learnt) -> list[str]:
        """The keys whose number each of the rows says is missing."""
        if self._version != learnt.version:
            self._missing, self._version = learnt.missing(self._row), learnt.version
        return self._missing

    def run(self, rows: Sequence[Any], first_line: int) -> Run:
        """The columns of decoded rows, which stand in lines that follow each other.

        Raises:
            RunError: a text spells a number and another does not, or some row's step or time is not as usual.
        """
        steps: array[int] | None = None
        if self.step.key is None:
            steps = array("q", range(first_line, first_line + len(rows)))
        times, columns = None, []
        for leaf, way in self._leaves:
            found = _follow(rows, way)
            if leaf.clock is not Clock.SILENT:
                times = _times(leaf, found) or times
            if leaf.name == self.step.key:
                steps = self._steps(leaf, found)
            elif leaf.kind is not Kind.NUMBER:
                numbers = _spelled(leaf, found)
                columns += [(leaf.name, numbers)] if numbers and self.wants(leaf.name) else []
            elif self.wants(leaf.name):
                columns.append((leaf.name, array("d", found)))
        return Run(times or array("d", [math.nan]) * len(rows), columns, steps)

    def _steps(self, leaf: Leaf, found: Sequence[Any]) -> "array[int] | None":
        if leaf.kind is Kind.WHOLE:
            return array("q", found)
        numbers = found if leaf.kind is Kind.NUMBER else _spelled(leaf, found)
        return None if numbers is None else array("q", map(self._step, numbers))

    def _step(self, value: float) -> int:
        if not -(2.0**63) <= value < 2.0**63 or (self.step.source == "step" and not value.is_integer()):
            raise RunError("it is no step: NaN, infinite or not whole")
        return math.floor(value)

    def _struct(self, tree: dict[str, Tree], way: _Way) -> type:
        fields, names = [], {}
        for index, (key, branch) in enumerate(tree.items()):
            field = self._field(branch, index) if not way else f"f{index}"
            fields.append((field, self._type(branch, (*way, field))))
            names[field] = key
        return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False, eq=False)

    def _field(self, branch: Tree, index: int) -> str:
        quick = f"c{len(self._leaves)}"
        return quick if isinstance(branch, Leaf) and self._matters(branch) and quick in _BY_NAME else f"f{index}"

    def _matters(self, leaf: Leaf) -> bool:
        if leaf.kind in (Kind.NULL, Kind.BOOL):
            return False
        text = leaf.kind in (Kind.TEXT, Kind.SPELLED)
        return text or leaf.name == self.step.key or leaf.clock is Clock.DATE or self.wants(leaf.name)

    def _type(self, tree: Tree, way: _Way) -> Any:
        if isinstance(tree, dict):
            return self._struct(tree, way)
        if isinstance(tree, list):
            types = [self._type(branch, (*way, index)) for index, branch in enumerate(tree)]
            return GenericAlias(tuple, tuple(types))
        if self._matters(tree):
            self._leaves.append((tree, way))
        return _leaf_type(tree)


def _leaf_type(leaf: Leaf) -> Any:
    if leaf.kind is Kind.WHOLE:
        return Annotated[int, msgspec.Meta(ge=-EXACT, le=EXACT)]
    if leaf.kind is Kind.NUMBER:
        least, below = (None if math.isinf(bound) else bound for bound in leaf.bounds)
        return Annotated[float, msgspec.Meta(ge=least, lt=below)] if least or below else float
    return {Kind.BOOL: bool, Kind.NULL: None}.get(leaf.kind, str)


def _follow(rows: Sequence[Any], way: _Way) -> list[Any]:
    first, *rest = way
    column = _BY_NAME[first](rows) if first in _BY_NAME else list(map(attrgetter(str(first)), rows))
    for place in rest:
        column = list(map(itemgetter(place) if isinstance(place, int) else attrgetter(place), column))
    return column


def _spelled(leaf: Leaf, texts: Sequence[str]) -> "array[float] | None":
    """The numbers that texts spell; None if they spell none."""
    numbers = [found for text in texts if (found := number(text)) is not None]
    if len(numbers) != (len(texts) if leaf.kind is Kind.SPELLED else 0):
        raise RunError("a text turned into a number, or a number into a text")
    return array("d", numbers) if leaf.kind is Kind.SPELLED else None


def _times(leaf: Leaf, found: Sequence[Any]) -> "array[float] | None":
    """Unix seconds; None if they are no dates."""
    if leaf.kind is Kind.NUMBER and leaf.clock is Clock.NO_DATE:
        return None  # the decoder has checked that
    if leaf.kind is Kind.NUMBER and leaf.bounds == IN_SECONDS:
        return array("d", found)
    dates = [date for value in found if (date := seconds(value)) is not None]
    if len(dates) != (len(found) if leaf.clock is Clock.DATE else 0):
        raise RunError("a text turned into a date, or a date into a text")
    return array("d", dates) if leaf.clock is Clock.DATE else None
