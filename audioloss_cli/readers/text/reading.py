"""One file of console output from its first line to its last."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from audioloss_cli.model import Defect, Note, ReadOptions, Series, series
from audioloss_cli.naming import classify
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Table
from audioloss_cli.readers.text.cycle import LONGEST, Cycle, period_of
from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.lines import TextBlocks
from audioloss_cli.readers.text.parser import Parser
from audioloss_cli.readers.text.parts import parts_in, values_with_parts
from audioloss_cli.readers.text.steps import Steps
from audioloss_cli.readers.text.template import Template
from audioloss_cli.readers.text.user_pattern import UserPattern
from audioloss_cli.readers.text.values import ValueReader, Values

_ROWS_TO_LEARN_FROM = 1000
_ENTRIES_TO_LEARN_FROM = 4000  # lines that count something and hold nothing among them
_MOST_TAGS = 20_000
_MOST_HELD = 1000
_MOST_SHOWN, _MOST_TAGS_SHOWN = 4, 20  # lines, and names of one line in the note
_LINES_TO_FIND_A_CYCLE = 2 * LONGEST
_NAN = float("nan")
_OF_AN_EPOCH = "_epoch"  # what Lightning puts behind the name of a mean
_BLANK = Template("", Entry())


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._own = [UserPattern(text) for text in options.line_patterns]
        self._parser = Parser(self._own)
        self._values = ValueReader()
        self._first: list[Values] | None = []  # until there are rows enough to tell the step by
        self._rows = 0  # of numbers among them
        self._steps = Steps([])
        self._tables = dict[int, Table]()  # by rank
        self._waiting = list[Values]()  # rows, until the progress bar behind them is drawn
        self._tags = set[str]()
        self._held = dict[frozenset[str], Values]()  # rows that may be no row of a log, until their names come again
        self._again = set[frozenset[str]]()  # names that come again among the first rows
        self._to_come = set[str]()  # names that will stand beside a step, in those of the first rows that follow
        self._has_step = False  # whether anything was counted
        self._samples = dict[str, list[str]]()  # lines, and the losses that each held first
        self._drawn: tuple[int, list[tuple[str, float]]] | None = None  # the last state of a progress bar
        self._shown = dict[
            str, tuple[float, float | None]
        ]()  # by a bar until the next epoch, with the epoch since when
        self._lasting = dict[tuple[str, ...], frozenset[str]]()  # by the tags of a bar, those that it shows so
        self._last = list[Template | None]()  # what the last lines were, taken one by one
        self._cycle: Cycle | None = None
        self._too_many = 0
        self._points = 0  # since they were last handed over, those that are not wanted included

    def run(self) -> Iterator[Series | Defect | Note]:
        """Yield all series in chunks, and the defects.

        Raises:
            OSError: the file cannot be opened or read.
        """
        blocks = TextBlocks(self._path)
        for block in blocks:
            if isinstance(block, Defect):
                yield block
            else:
                yield from self._read(block)
        yield from self._start()
        self._let_in()
        if not self._tables:
            for values in self._held.values():
                self._put(values)
        for table in self._tables.values():
            table.end()
        yield from self._flush()
        yield from self._last_words(has_content=blocks.has_content)

    def _last_words(self, *, has_content: bool) -> Iterator[Defect | Note]:
        if self._tables:
            yield Note(str(self._path), self._note())
        if self._too_many:
            message = f"more than {_MOST_TAGS} different names; the numbers of {self._too_many} more were left out"
            yield Defect(str(self._path), "malformed", message)
        for pattern in self._own:
            if pattern.is_exhausted:
                message = f"--pattern {pattern.text!r} takes too long on long lines, which were left to other patterns"
                yield Defect(str(self._path), "malformed", message)
        if has_content and not self._tables:
            message = "no line of it holds a metric; say what its lines are like with --pattern"
            yield Defect(str(self._path), "not-a-log", message)

    def _note(self) -> str:
        """What was taken for the step and for a loss, with a line of each loss that was found first."""
        told = {
            "step": f"the step is {self._steps.name!r}",
            "epoch": "the epoch stands in for the step",
        }.get(self._steps.source, "no step was found; rows are counted")
        losses = [f"{', '.join(tags)} as in {start.strip()!r}" for start, tags in self._samples.items()]
        more = len([tag for tag in self._tags if classify(tag).says_loss]) - sum(map(len, self._samples.values()))
        return f"{told}; {'; '.join(losses) or 'no loss'}{f'; and {more} more losses' if more > 0 else ''}"

    def _flush(self) -> Iterator[Series]:
        self._points = 0
        for rank, table in self._tables.items():
            for item in table.flush():
                item.run = f"rank {rank}" if rank else ""
                yield item

    def _read(self, text: str) -> Iterator[Series]:
        at = 0
        while at < len(text):
            if self._cycle is not None:
                rows, at = self._cycle.rows(text, at)
                if rows:
                    self._take_rows(self._cycle, rows)
                    yield from self._chunk()
                    continue
            end = text.index("\n", at)
            self._take(text[at:end])
            at = end + 1
            if self._rows >= _ROWS_TO_LEARN_FROM or len(self._first or ()) >= _ENTRIES_TO_LEARN_FROM:
                yield from self._start()
            yield from self._chunk()

    def _chunk(self) -> Iterator[Series]:
        """Hand over what was collected once it is enough."""
        if self._points >= series.POINTS_OF_A_CHUNK:
            yield from self._flush()

    def _take_rows(self, cycle: Cycle, rows: Sequence[Sequence[str]]) -> None:
        self._last.clear()
        self._points += len(rows) * cycle.points
        cycle.take(rows, self._steps, [self._table(each.entry.rank) for each in cycle.templates])

    def _take(self, line: str) -> None:
        """Take in one line."""
        is_blank = not line or line.isspace()
        self._last.append((None if line else _BLANK) if is_blank else self._take_text(line))
        if len(self._last) == _LINES_TO_FIND_A_CYCLE:
            self._find_cycle()

    def _take_text(self, line: str) -> Template | None:
        if self._own and (entry := self._parser.parse_own(line)) is not None:
            self._say(self._values.of(line, entry))
            return None
        known = self._parser.find(line)
        if known is not None:
            template, match = known
            if template.entry:
                self._say(self._values.of_match(line, template, match.groups()))
            return template
        entry = self._parser.parse(line)
        if entry is not None:
            self._say(self._values.of(line, entry))
        return self._parser.learn(line, entry)

    def _find_cycle(self) -> None:
        """See whether the last lines come again and again; if so, the next ones are matched together."""
        last, self._last = self._last, []
        alone = self._first is not None or self._values.held_out or self._own or self._steps.by_bar
        period = 0 if alone else period_of(last)
        templates = [template for template in last[len(last) - period :] if template is not None] if period else []
        if templates and Cycle.can_be(templates) and all(map(self._is_known, templates)):
            self._cycle = Cycle(templates)

    def _is_known(self, template: Template) -> bool:
        """Whether nothing but the numbers of such lines matters: no name is new, none comes twice."""
        tags = template.tags
        if template.entry.is_bar and tags:
            return False
        return self._tags.issuperset(tags) and len(set(tags)) == len(tags)

    def _say(self, values: Values) -> None:
        """Take in a line that says something: at once, or with the first rows."""
        if self._first is None:
            self._judge(values)
            return
        self._first.append(values)
        self._rows += bool(values.numbers)

    def _start(self) -> Iterator[Series]:
        """Choose the step by the lines that waited, and let them in."""
        self._rows = 0
        if self._first is None:
            return
        first, self._first = self._first, None
        if parts := parts_in(first):
            self._parser = Parser(self._own, parts)
            first = [values_with_parts(values, parts) for values in first]
        self._steps = Steps([(values.counts, [tag for tag, _ in values.numbers]) for values in first])
        tally = Counter(frozenset(tag for tag, _ in values.numbers) for values in first)
        self._again = {tags for tags, count in tally.items() if count > 1}
        self._to_come = {tag for values in first if values.counts for tag, _ in values.numbers}
        for values in first:
            self._judge(values)
            yield from self._chunk()
        self._again, self._to_come = set(), set()

    def _judge(self, values: Values) -> None:
        """Rows of a log have a step, or come again; a constant in source code or a summary does neither."""
        entry = values.entry
        tags = frozenset(tag for tag, _ in values.numbers)
        if not tags and not entry.nulls:
            self._count(values)
            return
        own_step = bool(values.counts) and not entry.is_bar
        if own_step:
            self._to_come -= tags
        elif not (entry.is_record or entry.is_bar or self._to_come.isdisjoint(tags)):
            return  # the code of the training, printed before its first step
        if entry.is_record or own_step or not tags.isdisjoint(self._tags):
            self._has_step |= own_step
            if own_step or not tags.isdisjoint(self._tags) or any(map(_says_loss, tags)) or entry.nulls:
                self._add(values)
                return
        if not any(map(_says_loss, tags)) and not self._has_step:
            return
        before = self._held.pop(tags, None)
        if before is not None or tags in self._again:
            if before is not None:
                self._add(before)
            self._add(values)
        elif len(self._held) < _MOST_HELD:
            self._held[tags] = values

    def _count(self, values: Values) -> None:
        """Take in a line that says where the training is, and no number."""
        self._steps.of(values.counts, (), held_out=values.held_out)
        if self._waiting and self._steps.draws(values.counts):
            self._let_in()
        self._has_step |= bool(values.counts)

    def _add(self, values: Values) -> None:
        """Take in a row; where a bar is the step, once the bar behind it is drawn."""
        if not self._steps.by_bar or values.entry.is_bar:
            self._put(values)
            return
        tags = {tag for tag, _ in values.numbers}
        if any(not tags.isdisjoint(tag for tag, _ in before.numbers) for before in self._waiting):
            self._let_in()
        self._waiting.append(values)

    def _let_in(self) -> None:
        waiting, self._waiting = self._waiting, []
        for values in waiting:
            self._put(values)

    def _put(self, values: Values) -> None:
        tags = [tag for tag, _ in values.numbers]
        step = self._steps.of(values.counts, tags, held_out=values.held_out)
        if values.entry.is_bar:
            if self._drawn == (step, values.numbers):
                return
            self._drawn = step, values.numbers
        numbers = self._without_repeats(values) if values.entry.is_bar else values.numbers
        new = [tag for tag in tags if tag not in self._tags]
        if len(self._tags) + len(new) > _MOST_TAGS:
            self._too_many += len(new)
            numbers = [(tag, value) for tag, value in numbers if tag in self._tags]
        else:
            self._tags.update(new)
        self._points += len(numbers)
        losses = [tag for tag in new[:_MOST_TAGS_SHOWN] if classify(tag).says_loss]
        if losses and len(self._samples) < _MOST_SHOWN:
            self._samples.setdefault(values.start, []).extend(losses)
        self._table(values.entry.rank).add_row(Row(step, numbers, values.entry.blanks, values.entry.nulls, _NAN))

    def _without_repeats(self, values: Values) -> list[tuple[str, float]]:
        """The numbers of a progress bar without those that it only shows once more.

        Beside the loss of a step, the value of an epoch and a held-out one are measured once, and shown until the end
        of the next epoch.
        """
        tags = tuple([tag for tag, _ in values.numbers])
        lasting = self._lasting.get(tags)
        if lasting is None:
            lasting = _lasting(tags)
            if len(self._lasting) < _MOST_HELD:
                self._lasting[tags] = lasting
        if not lasting:
            return values.numbers
        epoch = next((value for name, value, _ in values.counts if name == "epoch"), None)
        kept = list[tuple[str, float]]()
        for tag, value in values.numbers:
            if tag in lasting:
                before, since = self._shown.get(tag, (_NAN, None))
                if value == before and (epoch is None or since is None or since <= epoch <= since + 1):
                    continue
                if len(self._shown) < _MOST_TAGS:
                    self._shown[tag] = value, epoch
            kept.append((tag, value))
        return kept

    def _table(self, rank: int) -> "_Table":
        table = self._tables.get(rank)
        if table is None:
            column = StepColumn(None, self._steps.source)
            table = self._tables[rank] = _Table(column, str(self._path), self._options.wanted)
        return table  # type: ignore[return-value]


class _Table(Table):
    def add_row(self, row: Row) -> None:
        for _ in self.add(row):  # the step is a number by now: no Defect
            pass


def _lasting(tags: Sequence[str]) -> frozenset[str]:
    """Those of the tags of a bar that are measured once an epoch; none if no other is a loss."""
    lasting = frozenset(tag for tag in tags if tag.endswith(_OF_AN_EPOCH) or classify(tag).held_out)
    return lasting if any(_says_loss(tag) for tag in tags if tag not in lasting) else frozenset()


def _says_loss(tag: str) -> bool:
    return classify(tag).says_loss
