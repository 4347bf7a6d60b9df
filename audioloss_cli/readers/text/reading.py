"""One file of console output from its first line to its last."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.model import Defect, ReadOptions, Series, series
from audioloss_cli.naming.selection import has_loss
from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Table
from audioloss_cli.readers.text.entry import Entry, number_in
from audioloss_cli.readers.text.lines import blocks_of
from audioloss_cli.readers.text.parser import Dialect, Parser
from audioloss_cli.readers.text.steps import Counts, Steps
from audioloss_cli.readers.text.template import Template

_ROWS_TO_LEARN_FROM = 1000
_ENTRIES_TO_LEARN_FROM = 4000  # lines that count something and hold nothing among them
_MOST_TAGS = 20_000
_MOST_HELD = 1000
NAN = float("nan")


class Values(NamedTuple):
    """What a line holds: what it counts, its numbers, its names without one."""

    line: int
    counts: list[tuple[str, float, float | None]]
    numbers: list[tuple[str, float]]
    entry: Entry
    held_out: bool


class Reading:
    """Reads one file, once.

    Args:
        own: patterns of the user.
    """

    def __init__(self, path: Path, options: ReadOptions, own: Sequence[Dialect] = ()) -> None:
        self._path = path
        self._options = options
        self._parser = Parser(own)
        self._first: list[Values] | None = []  # until there are rows enough to tell the step by
        self._rows = 0  # among them
        self._steps = Steps([])
        self._tables = dict[int, Table]()  # by rank
        self._tags = set[str]()
        self._held = dict[frozenset[str], Values]()  # rows that may be no row of a log, until their names come again
        self._again = set[frozenset[str]]()  # names that come again among the first rows
        self._has_step = False  # whether anything was counted
        self._mode = False
        self._drawn: tuple[int, list[tuple[str, float]]] | None = None  # the last state of a progress bar
        self._ready = dict[Template, "_Ready"]()
        self._too_many = 0
        self._lines = 0

    def run(self) -> Iterator[Series | Defect]:
        """Yield all series in chunks, and the defects.

        Raises:
            OSError: the file cannot be opened or read.
        """
        has_text = False
        for block in blocks_of(self._path):
            if isinstance(block, Defect):
                yield block
                has_text = True
                continue
            for number, line in enumerate(block.lines, block.number):
                if line:
                    has_text = has_text or not line.isspace()
                    self._take(number, line)
            if sum(table.points for table in self._tables.values()) >= series.POINTS_OF_A_CHUNK:
                yield from self._flush()
        self._start()
        if not self._tables:
            for values in self._held.values():
                self._add(values)
        for table in self._tables.values():
            table.end()
        yield from self._flush()
        yield from self._last_words(has_text)

    def _last_words(self, has_text: bool) -> Iterator[Defect]:
        if self._too_many:
            message = f"more than {_MOST_TAGS} different names; the numbers of {self._too_many} more were left out"
            yield Defect(str(self._path), "malformed", message)
        if has_text and not self._tables:
            message = "no line of it holds a metric; say what its lines are like with --pattern"
            yield Defect(str(self._path), "not-a-log", message)

    def _flush(self) -> Iterator[Series]:
        for rank, table in self._tables.items():
            for item in table.flush():
                item.run = f"rank {rank}" if rank else ""
                yield item
        self._ready.clear()

    def _take(self, number: int, line: str) -> None:
        known = self._parser.find(line)
        if known is None:
            entry = self._parser.parse(line)
            template = self._parser.learn(line, entry)
            if entry is not None:
                self._say(self._values_of(number, line, entry))
                if template is not None:
                    self._make_ready(template)
            return
        template, match = known
        ready = self._ready.get(template)
        if ready is None or not ready.take(match.groups()):
            self._say(self._values_of_match(number, template, match.groups()))
            self._make_ready(template)

    def _values_of(self, number: int, line: str, entry: Entry) -> Values:
        texts = [line[token.start : token.end] for token in entry.tokens]
        counts = [
            (each.name, number_in(texts[each.token]), None if each.total is None else number_in(texts[each.total]))
            for each in entry.counters
        ]
        if entry.mode is not None:
            self._mode = entry.mode
        numbers = [(self._tag(tag), number_in(texts[index])) for tag, index in entry.numbers]
        return Values(number, counts, numbers, entry, entry.held_out or self._mode)

    def _values_of_match(self, number: int, template: Template, groups: Sequence[str]) -> Values:
        counts = [
            (each.name, number_in(groups[each.token]), None if each.total is None else number_in(groups[each.total]))
            for each in template.counters
        ]
        numbers = [
            (self._tag(tag), number_in(groups[place]))
            for tag, place in zip(template.tags, template.places, strict=True)
        ]
        return Values(number, counts, numbers, template.entry, template.entry.held_out or self._mode)

    def _tag(self, tag: str) -> str:
        return f"eval/{tag}" if self._mode and not is_held_out(tag) else tag

    def _say(self, values: Values) -> None:
        """Take in a line that says something: at once, or with the first rows."""
        if self._first is None:
            self._judge(values)
            return
        self._first.append(values)
        self._rows += bool(values.numbers)
        if self._rows == _ROWS_TO_LEARN_FROM or len(self._first) == _ENTRIES_TO_LEARN_FROM:
            self._start()

    def _start(self) -> None:
        """Choose the step by the lines that waited, and let them in."""
        if self._first is None:
            return
        first, self._first = self._first, None
        self._steps = Steps([(values.counts, [tag for tag, _ in values.numbers]) for values in first])
        tally = Counter(frozenset(tag for tag, _ in values.numbers) for values in first)
        self._again = {tags for tags, count in tally.items() if count > 1}
        for values in first:
            self._judge(values)
        self._again = set()

    def _judge(self, values: Values) -> None:
        """Rows of a log have a step, or come again; a constant in source code or a summary does neither."""
        entry = values.entry
        tags = frozenset(tag for tag, _ in values.numbers)
        if not tags and not entry.nulls:
            self._steps.of(values.counts, (), held_out=values.held_out)
            self._has_step |= bool(values.counts)
            return
        own_step = bool(values.counts) and not entry.is_bar
        if entry.is_record or own_step or not tags.isdisjoint(self._tags):
            self._has_step |= own_step
            if own_step or not tags.isdisjoint(self._tags) or any(map(has_loss, tags)) or entry.nulls:
                self._add(values)
                return
        if not any(map(has_loss, tags)) and not self._has_step:
            return
        before = self._held.pop(tags, None)
        if before is not None or tags in self._again:
            if before is not None:
                self._add(before)
            self._add(values)
        elif len(self._held) < _MOST_HELD:
            self._held[tags] = values

    def _add(self, values: Values) -> None:
        tags = [tag for tag, _ in values.numbers]
        step = self._steps.of(values.counts, tags, held_out=values.held_out)
        if values.entry.is_bar:
            if self._drawn == (step, values.numbers):
                return
            self._drawn = step, values.numbers
        numbers = values.numbers
        new = [tag for tag in tags if tag not in self._tags]
        if len(self._tags) + len(new) > _MOST_TAGS:
            self._too_many += len(new)
            numbers = [(tag, value) for tag, value in numbers if tag in self._tags]
        else:
            self._tags.update(new)
        self._table(values.entry.rank).add_row(Row(step, numbers, values.entry.blanks, values.entry.nulls, NAN))

    def _table(self, rank: int) -> "_Table":
        table = self._tables.get(rank)
        if table is None:
            column = StepColumn(None, self._steps.source)
            table = self._tables[rank] = _Table(column, str(self._path), self._options.wanted)
        return table  # type: ignore[return-value]

    def _make_ready(self, template: Template) -> None:
        """From now on lines of this template go the short way, where nothing but their numbers matters."""
        entry = template.entry
        if self._first is not None or self._mode or entry.is_bar or not template.tags or template in self._ready:
            return
        if self._tags.issuperset(template.tags) and len(set(template.tags)) == len(template.tags):
            self._ready[template] = _Ready(template, self._steps, self._table(entry.rank), entry.held_out)


class _Table(Table):
    def add_row(self, row: Row) -> None:
        for _ in self.add(row):  # the step is a number by now: no Defect
            pass


class _Ready:
    """Puts the numbers of lines of one template where they belong, until the chunk is handed over."""

    def __init__(self, template: Template, steps: Steps, table: Table, held_out: bool) -> None:
        self._steps, self._table, self._held_out = steps, table, held_out
        self._tags = template.tags
        self._counters = template.counters
        self._places = list[tuple[Any, int]]()
        for tag, place in zip(template.tags, template.places, strict=True):
            columns = table.columns(tag)
            if columns is not None:
                self._places.append((columns, place))

    def take(self, groups: Sequence[str]) -> bool:
        """Take in the numbers of a line."""
        counts: Counts = [
            (each.name, float(groups[each.token]), None if each.total is None else float(groups[each.total]))
            for each in self._counters
        ]
        step = self._steps.of(counts, self._tags, held_out=self._held_out)
        table = self._table
        table.step = step
        for columns, place in self._places:
            columns[0].append(step)
            columns[1].append(float(groups[place]))
            columns[2].append(NAN)
        table.points += len(self._places)
        return True
