"""A typed decoder for rows that are alike, built from some of them.

msgspec reads a line into a struct with these keys and types, and refuses every other line: a new key, null for a
number, a number for text, NaN, damage. It checks the grammar of JSON while it is at it, and reads a number to the same
bits as ``float``. What it accepts therefore has the keys and the kinds of values of rows that were learnt before, and
teaches nothing new about the log. A few columns are taken from it: the wanted ones, the step, the wall time, and texts,
for a text may turn into one that spells a number.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from audioloss_cli.readers._rows.numbers import seconds, spelled
from audioloss_cli.readers._rows.packed import Chosen, floats, integers, numbered, present
from audioloss_cli.readers._rows.row import RUN_KEYS, run_of
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.structs import QUICK, column_of
from audioloss_cli.readers.jsonl.kinds import EXACT, IN_SECONDS, Clock, Kind, Leaf, Tree, leaves

_MOST_TEXTS, _MOST_WORDS = 1 << 12, 16
_Way = tuple[str | int, ...]


class Columns(NamedTuple):
    """What rows hold, column by column; only what is wanted.

    Attributes:
        wall_times: float64 Unix seconds [rows], NaN where a row has none.
        steps: int64 [rows]; None if the rows have none of their own.
        numbers: names, which of the rows have one (all if None), and float64 [of those rows].
        runs: what each row says of its run; None if none says anything.
    """

    wall_times: "array[float]"
    steps: "array[int] | None"
    numbers: "list[tuple[str, Chosen | None, array[float]]]"
    runs: list[str] | None

    def of(self, rows: bytes) -> "Columns":
        """The columns of some of the rows, which are of one run."""
        here, numbers = Chosen(rows), list[tuple[str, Chosen | None, "array[float]"]]()
        for name, have, values in self.numbers:
            chosen = here if have is None else Chosen(bytes(compress(rows, have.mask)))
            kept = None if have is None else Chosen(bytes(compress(have.mask, rows)))
            if chosen.any:
                numbers.append((name, kept, chosen.of(values)))
        return Columns(here.of(self.wall_times), None if self.steps is None else here.of(self.steps), numbers, None)


class RowTypeError(Exception):
    """Not all of the rows are of this type after all."""


class RowType:
    """Rows that differ at most in which of their columns they have.

    Attributes:
        tree: what stands in each place.
        blanks: keys that hold no number.
        nulls: those of them that are null, which each of the rows has.
        missing: the keys that each of the rows says are missing, as of a version of what was learnt.
    """

    def __init__(
        self,
        tree: dict[str, Tree],
        optional: set[str],
        step: StepColumn,
        wants: Callable[[str], bool],
        words: Iterable[str] = (),
    ) -> None:
        """Build the decoder; a row may lack the ``optional`` ones of the outermost keys.

        If there are ``words``, of which none spells a number, each outermost text is one of them: the decoder compares
        it in place, which takes half the time of making a text and looking at it.

        Raises:
            ValueError: msgspec cannot have such keys.
        """
        self.tree = tree
        self.optional = optional
        self.blanks = [leaf.name for leaf in leaves(tree) if leaf.is_blank]
        self.nulls = [leaf.name for leaf in leaves(tree) if leaf.kind is Kind.NULL]
        self.missing = -1, list[str]()
        self._step = step
        self._wants = wants
        self._leaves = list[tuple[Leaf, _Way, bool]]()
        self._runs = dict[str, str]()
        self._words = tuple(words)
        self._texts: set[Any] = {msgspec.UNSET}  # some that spell no number
        self._optional_fields = set[str]()
        row_type = self._struct(tree, ())
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(row_type).decode

    def narrowed(self) -> "RowType | None":
        """Return a type for the words that its outermost texts were so far; None if it has no such texts, or many."""
        words = self._texts - {msgspec.UNSET}
        if self._words or not 0 < len(words) <= _MOST_WORDS:
            return None
        return RowType(self.tree, self.optional, self._step, self._wants, sorted(words))

    def columns(self, rows: Sequence[Any], first_line: int) -> Columns:
        """Return the columns of decoded rows, which stand in lines that follow each other.

        Raises:
            RowTypeError: a text spells a number and another does not, or some row's step or time is not as usual.
        """
        steps: array[int] | None = None
        if self._step.key is None:
            steps = array("q", range(first_line, first_line + len(rows)))
        times, numbers = None, list[tuple[str, Chosen | None, "array[float]"]]()
        masks = dict[bytes, Chosen]()  # columns with gaps in the same rows share what stands beside them
        names_launches = self._runs.values()  # though it may look like a number
        for leaf, way, is_optional in [each for each in self._leaves if each[1][0] not in names_launches]:
            found, have = column_of(rows, str(way[0])), None
            if _is_checked(leaf) and len(way) == 1:
                self._check_texts(found)
                continue
            if is_optional and len(way) == 1 and leaf.kind is Kind.NUMBER:
                values, have = numbered(found, masks)
                numbers += [(leaf.name, have, values)] if values else []
                continue
            if is_optional:
                found, have = _present(found)
            found = _follow(found, way[1:])
            if leaf.clock is not Clock.SILENT:
                times = _times(leaf, found) or times
            if leaf.name == self._step.key:
                steps = self._steps(leaf, found)
            elif leaf.kind is not Kind.NUMBER:
                texts = _spelled(leaf, found)
                numbers += [(leaf.name, have, texts)] if texts and self._wants(leaf.name) else []
            elif found and self._wants(leaf.name):
                numbers.append((leaf.name, have, floats(found)))
        return Columns(times or array("d", [math.nan]) * len(rows), steps, numbers, self._runs_of(rows))

    def _check_texts(self, column: list[Any]) -> None:
        """Raise RowTypeError if some text spells a number."""
        texts = set(column) - self._texts
        if not texts:
            return
        if any(found is not None for found in spelled(list(texts))):
            raise RowTypeError("a text turned into a number")
        if len(self._texts) < _MOST_TEXTS:
            self._texts |= texts

    def _runs_of(self, rows: Sequence[Any]) -> list[str] | None:
        if not self._runs:
            return None
        columns = [column_of(rows, field) for field in self._runs.values()]
        labels = {
            labels: run_of(dict(zip(self._runs, labels, strict=True))) for labels in set(zip(*columns, strict=True))
        }
        return [labels[one] for one in zip(*columns, strict=True)]

    def _steps(self, leaf: Leaf, found: Sequence[Any]) -> "array[int] | None":
        if leaf.kind is Kind.WHOLE:
            return integers(found)
        numbers = found if leaf.kind is Kind.NUMBER else _spelled(leaf, found)
        return None if numbers is None else array("q", map(self._whole, numbers))

    def _whole(self, value: float) -> int:
        if not -(2.0**63) <= value < 2.0**63 or (self._step.source == "step" and not value.is_integer()):
            raise RowTypeError("it is no step: NaN, infinite or not whole")
        return math.floor(value)

    def _struct(self, tree: dict[str, Tree], way: _Way) -> type:
        fields, names = list[Any](), {}
        for index, (key, branch) in enumerate(tree.items()):
            field = self._field(branch, index) if not way else f"f{index}"
            is_optional = not way and key in self.optional
            if is_optional:
                self._optional_fields.add(field)
            type_ = self._type(branch, (*way, field))
            if is_optional and isinstance(branch, Leaf) and branch.kind is Kind.NUMBER:
                fields.append((field, type_, math.nan))  # which no number in JSON is
            elif is_optional:
                fields.append((field, type_ | msgspec.UnsetType, msgspec.UNSET))
            else:
                fields.append((field, type_))
            if not way and key in RUN_KEYS and isinstance(branch, Leaf) and branch.kind in (Kind.TEXT, Kind.SPELLED):
                self._runs[key] = field
            names[field] = key
        return (
            msgspec.defstruct(  # with keywords alone, fields may stand in the order of the log, and are found at once
                "Row", fields, rename=names, forbid_unknown_fields=True, gc=False, eq=False, kw_only=True
            )
        )

    def _field(self, branch: Tree, index: int) -> str:
        quick = f"c{len(self._leaves)}"
        return quick if isinstance(branch, Leaf) and self._matters(branch) and quick in QUICK else f"f{index}"

    def _matters(self, leaf: Leaf) -> bool:
        if leaf.kind in (Kind.NULL, Kind.BOOL):
            return False
        text = leaf.kind in (Kind.TEXT, Kind.SPELLED) and not self._is_word(leaf)
        return text or leaf.name == self._step.key or leaf.clock is Clock.DATE or self._wants(leaf.name)

    def _type(self, tree: Tree, way: _Way) -> Any:
        if isinstance(tree, dict):
            return self._struct(tree, way)
        if isinstance(tree, list):
            types = [self._type(branch, (*way, index)) for index, branch in enumerate(tree)]
            return GenericAlias(tuple, tuple(types))
        if self._matters(tree):
            self._leaves.append((tree, way, way[0] in self._optional_fields))
        return Literal[self._words] if self._is_word(tree) else _leaf_type(tree)

    def _is_word(self, leaf: Leaf) -> bool:
        is_outermost = isinstance(self.tree.get(leaf.name), Leaf)
        return bool(self._words) and is_outermost and _is_checked(leaf) and leaf.name not in RUN_KEYS


def _is_checked(leaf: Leaf) -> bool:
    """Whether it is a text that matters only once it turns into one that spells a number."""
    return leaf.kind is Kind.TEXT and leaf.clock is Clock.SILENT


def _leaf_type(leaf: Leaf) -> Any:
    if leaf.kind is Kind.WHOLE:
        return Annotated[int, msgspec.Meta(ge=-EXACT, le=EXACT)]
    if leaf.kind is Kind.NUMBER:
        least, below = (None if math.isinf(bound) else bound for bound in leaf.bounds)
        return Annotated[float, msgspec.Meta(ge=least, lt=below)] if least or below else float
    return {Kind.BOOL: bool, Kind.NULL: None}.get(leaf.kind, str)


def _present(column: list[Any]) -> tuple[list[Any], Chosen | None]:
    """The values that are there, and where; None if all are."""
    mask = present(column, msgspec.UNSET)
    if all(mask):
        return column, None
    chosen = Chosen(mask)
    return chosen.of(column), chosen


def _follow(column: list[Any], way: _Way) -> list[Any]:
    for place in way:
        column = list(map(itemgetter(place) if isinstance(place, int) else attrgetter(place), column))
    return column


def _spelled(leaf: Leaf, texts: Sequence[str]) -> "array[float] | None":
    """The numbers that texts spell; None if they spell none."""
    numbers = [found for found in spelled(texts) if found is not None]
    if len(numbers) != (len(texts) if leaf.kind is Kind.SPELLED else 0):
        raise RowTypeError("a text turned into a number, or a number into a text")
    return array("d", numbers) if leaf.kind is Kind.SPELLED else None


def _times(leaf: Leaf, found: Sequence[Any]) -> "array[float] | None":
    """Unix seconds; None if they are no dates."""
    if leaf.kind is Kind.NUMBER and leaf.clock is Clock.NO_DATE:
        return None  # the decoder has checked that
    if leaf.kind is Kind.NUMBER and leaf.bounds == IN_SECONDS:
        return floats(found)
    dates = [date for value in found if (date := seconds(value)) is not None]
    if len(dates) != (len(found) if leaf.clock is Clock.DATE else 0):
        raise RowTypeError("a text turned into a date, or a date into a text")
    return array("d", dates) if leaf.clock is Clock.DATE else None
