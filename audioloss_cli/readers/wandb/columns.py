"""Rows of a history to series: in columns where every value is a number, row by row where one is not."""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from audioloss_cli.model import Defect, Series, series
from audioloss_cli.model.series import DefectKind
from audioloss_cli.readers._logged import LONGEST_NAME, metrics, value_of
from audioloss_cli.readers._protobuf import WireError
from audioloss_cli.readers._rows import RowCollector, row_of
from audioloss_cli.readers._rows.numbers import EARLIEST, MILLISECONDS, number, seconds
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Run, Table
from audioloss_cli.readers.wandb import history

Values = dict[bytes, bytes]

_ROWS_OF_A_BLOCK, _ITEMS_OF_A_BLOCK = 4096, 1 << 16
_STEP, _TIME = "_step", "_timestamp"
# Trainers count calls of ``wandb.log`` in ``_step`` and say beside it which step of the training it was.
_TRAINING_STEPS = ("train/global_step", "trainer/global_step", "global_step")
_MOST_KNOWN_NAMES = 1 << 17
_MOST_DEFECTS = 100  # told one by one
_floats = msgspec.json.Decoder(list[float])
_integers = msgspec.json.Decoder(list[int])
# As json.dumps of Python writes them, which is no JSON.
_NOT_FINITE = {b"NaN": math.nan, b"Infinity": math.inf, b"-Infinity": -math.inf}


class HistoryColumns:
    """Takes the rows and the defects of one file in order, and gives its series.

    Rows in which every value is a number wait until they are a block, and are decoded column by column. The first row
    with a set of names, and every row with something else than numbers, goes the way of all formats made of rows.

    Args:
        path: for defects.
        wanted: whether the points of a tag are asked for; see ``ReadOptions.wanted``.
    """

    def __init__(self, path: str, wanted: Callable[[str], bool] | None) -> None:
        self._path = path
        self._wanted = wanted
        self._collector = RowCollector(path, wanted, StepColumn(_STEP, "step"))
        self._starts: history.KnownStarts = {}
        self._tags: dict[bytes, str] = {}  # by names as they stand in items, of those that are read in columns
        self._alike = set[frozenset[bytes]]()  # sets of names of rows that may be read in columns
        self._last: frozenset[bytes] = frozenset()  # one of them
        self._block = list[tuple[Values, int]]()  # rows that wait, with their offsets
        self._items = 0  # of the block
        self._is_uniform = True  # all rows of the block have the same names
        self._rows = 0
        self._step_name = ""  # which value is the step; as the first row has it
        self._step = 0  # of the last row
        self._defects = 0

    def add(self, offset: int, payload: bytes) -> Iterable[Series | Defect]:
        """Take in a record of a transaction log; returns what is ready, most of the time nothing."""
        try:
            values = history.items_of(payload, self._starts)
        except WireError as error:
            return self.defect("malformed", f"{error} in a record; it was skipped", offset)
        if not values:
            return ()
        if values.keys() != self._last:
            names = frozenset(values)
            if names not in self._alike:
                return self._add_alone(values, offset)
            self._is_uniform &= not self._block
            self._last = names
        self._block.append((values, offset))
        self._items += len(values)
        if len(self._block) >= _ROWS_OF_A_BLOCK or self._items >= min(_ITEMS_OF_A_BLOCK, series.POINTS_OF_A_CHUNK):
            return self._settle()
        return ()

    def add_object(self, offset: int, parsed: dict[str, Any]) -> Iterator[Series | Defect]:
        """Take in a row that is an object of JSON; nested keys in objects, or joined with dots."""
        self._rows += 1
        self._step_name = self._step_name or _step_name(parsed)
        yield from self._find_step(_value(parsed, self._step_name), offset)
        found = seconds(parsed.get(_TIME))
        wall_time = math.nan if found is None else found
        kept = {name: value for name, value in parsed.items() if len(name) <= LONGEST_NAME}
        if len(kept) < len(parsed):
            yield from self.defect("malformed", f"a name of more than {LONGEST_NAME} bytes was skipped", offset)
        row = row_of(self._rows, {_STEP: self._step} | metrics(kept) | {_STEP: self._step})
        yield from self._collector.add(row._replace(wall_time=wall_time))

    def defect(self, kind: DefectKind, message: str, offset: int) -> Iterator[Defect]:
        """Yield a Defect, unless there were very many; ``end`` says how many those were."""
        yield from self.add_defect(Defect(self._path, kind, message, offset))

    def add_defect(self, defect: Defect) -> Iterator[Defect]:
        """Take in a defect of the file, as ``defect``."""
        self._defects += 1
        if self._defects <= _MOST_DEFECTS:
            yield defect

    def end(self) -> Iterator[Series | Defect]:
        """Yield the rest; call it after the last row."""
        yield from self._settle()
        yield from self._collector.end()
        if self._defects > _MOST_DEFECTS:
            message = f"{self._defects - _MOST_DEFECTS} more places of the file are damaged"
            yield Defect(self._path, "malformed", message)

    def _find_step(self, value: Any, offset: int) -> Iterator[Defect]:
        """Take over the step of a row; one without any is read as one of the step before."""
        step = number(value)
        if step is not None and step.is_integer() and abs(step) < 2.0**63:
            self._step = int(step)
        elif value is not None or self._step_name == _STEP:
            what = "has no _step" if value is None else f"has a _step that is no whole number ({str(value)[:40]!r})"
            message = f"row {self._rows} {what}; it was read as one of step {self._step}"
            yield from self.defect("malformed", message, offset)

    def _add_alone(self, values: Values, offset: int) -> Iterator[Series | Defect]:
        """Take in a row as every format made of rows does; learn whether others like it may be read in columns."""
        yield from self._settle()
        named = {name: parts for name in values if (parts := _parts_of(name))}
        if len(named) < len(values):
            message = f"a name of more than {LONGEST_NAME} bytes, or of none, was skipped"
            yield from self.defect("malformed", message, offset)
        parsed = {name: value_of(values[name]) for name in named}
        yield from self.add_object(offset, history.nested([(named[name], parsed[name]) for name in named]))
        tags = {name: "/".join(parts) for name, parts in named.items()}
        if all(type(value) in (int, float) for value in parsed.values()) and len(set(tags.values())) == len(values):
            if len(self._tags) + len(tags) > _MOST_KNOWN_NAMES:
                self._tags, self._alike = {}, set()
            self._tags |= tags
            self._last = frozenset(tags)
            self._alike.add(self._last)

    def _settle(self) -> Iterator[Series | Defect]:
        """Let in the rows that wait."""
        block, uniform = self._block, self._is_uniform
        self._block, self._items, self._is_uniform = [], 0, True
        if not block:
            return
        try:
            runs = self._uniform(block) if uniform else self._mixed(block)
        except (ValueError, OverflowError):  # msgspec.DecodeError is a ValueError: not all of them are numbers
            for values, offset in block:
                yield from self._add_alone(values, offset)
            return
        for run in runs:
            self._table.add_run(run)
        self._rows += len(block)
        self._step = self._table.step
        yield from self._collector.flush(self._table)

    @property
    def _table(self) -> Table:
        assert self._collector.table is not None  # noqa: S101  # its step column was given
        return self._collector.table

    def _uniform(self, block: Sequence[tuple[Values, int]]) -> list[Run]:
        """Return the columns of rows that all have the same names.

        Raises:
            ValueError: a value is no number, or a step no whole one.
            OverflowError: a step does not fit in int64.
        """
        columns: dict[str, list[float]] = {}
        steps, dates = array("q"), array("d", [math.nan]) * len(block)
        for name in block[0][0]:
            tag, texts = self._tags[name], [values[name] for values, _ in block]
            if tag == self._step_name:
                steps = array("q", _integers.decode(b"[%b]" % b",".join(texts)))
            if tag == _STEP:
                continue
            columns[tag] = numbers = _numbers(texts)
            if tag == _TIME:
                dates = _dates(numbers)
        if not steps:
            raise ValueError("no _step")
        return [Run(dates, [(tag, array("d", columns[tag])) for tag in columns if self._wants(tag)], steps)]

    def _mixed(self, block: Sequence[tuple[Values, int]]) -> list[Run]:
        """Return a run for each column of rows that have various names; raises as ``_uniform`` does."""
        places: dict[str, list[int]] = {}
        texts: dict[str, list[bytes]] = {}
        for place, (values, _) in enumerate(block):
            for name, text in values.items():
                tag = self._tags[name]
                places.setdefault(tag, []).append(place)
                texts.setdefault(tag, []).append(text)
        steps = _integers.decode(b"[%b]" % b",".join(texts.get(self._step_name, [])))
        texts.pop(_STEP, None)
        if len(steps) != len(block):
            raise ValueError("rows without _step")
        columns = {tag: _numbers(found) for tag, found in texts.items()}
        dates = array("d", [math.nan]) * len(block)
        for place, date in zip(places.get(_TIME, ()), _dates(columns.get(_TIME, [])), strict=True):
            dates[place] = date
        runs = []
        for tag, numbers in columns.items():
            if self._wants(tag):
                own = array("q", [steps[place] for place in places[tag]])
                times = array("d", [dates[place] for place in places[tag]])
                runs.append(Run(times, [(tag, array("d", numbers))], own))
        return [*runs, Run(dates[-1:], [], array("q", steps[-1:]))]  # for the step of the last row

    def _wants(self, tag: str) -> bool:
        return self._wanted is None or self._wanted(tag)


def _step_name(parsed: dict[str, Any]) -> str:
    """Return the name of the step of the training in a row, for want of one that of W&B."""
    return next((name for name in _TRAINING_STEPS if number(_value(parsed, name)) is not None), _STEP)


def _value(parsed: dict[str, Any], name: str) -> Any:
    """Return the value of a name, whether its parts are nested or joined; None if there is none."""
    if name in parsed or "/" not in name:
        return parsed.get(name)
    outer, inner = name.split("/")
    group = parsed.get(outer)
    return group.get(inner) if isinstance(group, dict) else parsed.get(f"{outer}.{inner}")


def _parts_of(name: bytes) -> list[str]:
    """Return the parts of a name; nothing if it is none, or too long to be one."""
    try:
        return history.parts_of(name) if len(name) <= LONGEST_NAME else []
    except WireError:
        return []


def _numbers(texts: list[bytes]) -> list[float]:
    """Return the number in each JSON text.

    Raises:
        ValueError: one is no number.
    """
    try:
        return _floats.decode(b"[%b]" % b",".join(texts))
    except ValueError:
        finite = [b"0" if text in _NOT_FINITE else text for text in texts]
        numbers = _floats.decode(b"[%b]" % b",".join(finite))
        return [_NOT_FINITE.get(text, found) for text, found in zip(texts, numbers, strict=True)]


def _dates(numbers: list[float]) -> "array[float]":
    """Return Unix seconds, NaN where a number is no date."""
    if numbers and min(numbers) >= EARLIEST and max(numbers) < MILLISECONDS:
        return array("d", numbers)
    dates = map(seconds, numbers)
    return array("d", [math.nan if date is None else date for date in dates])
