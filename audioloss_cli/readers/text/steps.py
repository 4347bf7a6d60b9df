"""Which step each row of console output is of."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from audioloss_cli.readers._rows.steps import STEP_KEYS
from audioloss_cli.readers.text.template import Template

if TYPE_CHECKING:
    from audioloss_cli.model.series import StepSource

#: Names of a step, the most trusted first; ``place`` is the place in an epoch, ``bar`` that of a progress bar.
_GLOBAL = ("global_step", "trainer/global_step", "train/global_step", "num_updates")
RANKS = (*_GLOBAL, *(name for name in STEP_KEYS if name not in _GLOBAL), "update", "batch", "place")
# A step that one row in a hundred has (a header, a summary) is not that of the log; nor is one in lines of their own
# (a checkpoint was saved) that are much fewer than the values of a name.
_SHARE, _SHARE_ALONE = 0.1, 0.5
_PLACES = ("place", "batch")
_MOST_EPOCHS = 100_000
_LARGEST = 1 << 62

Counts = Sequence[tuple[str, float, float | None]]  # name, value, and of how many


class Steps:
    """Gives each row its step; made of what the first rows count.

    A row that counts nothing is one of the step before. Where a step starts anew in each epoch, steps go on from the
    end of the epoch before, so that the steps of a training only ever grow.

    Attributes:
        source: of the steps, for the report.
        name: what the step is called in the log; empty if rows are counted.
    """

    def __init__(self, first: Sequence[tuple[Counts, Sequence[str]]]) -> None:
        """Choose by the first lines: what each counts, and the names that it holds values of."""
        self.source: StepSource = "step"
        self._bar: float | None = None
        rows = [(counts, tags) for counts, tags in first if tags]
        beside = _columns(counts for counts, _ in rows)
        alone = _columns(counts for counts, tags in first if not tags)
        self._ranks = _ranked({name: column for name, column in beside.items() if len(column) > _SHARE * len(rows)})
        bar = None if self._ranks else _bar_beside(first)
        if not self._ranks and bar is not None:
            self._bar, self.name = bar, "progress bar"
        else:
            least = _SHARE_ALONE * _most_of_a_tag(rows)
            self._ranks = self._ranks or _ranked(
                {name: column for name, column in alone.items() if len(column) > least}
            )
            self.name = self._ranks[0] if self._ranks else ""
        if not self.name:
            self._count_epochs_or_rows([*beside.get("epoch", ()), *alone.get("epoch", ())], rows)
        self.step = 0
        self._last = 0  # as logged
        self._epoch: int | None = None  # that of the last step
        self._next: int | None = None  # that of the next one
        self._offset = 0
        self._offsets = dict[int, int]()  # epoch -> what is to be added to the steps in it
        self._total = 0
        self._in_block = set[str]()

    @property
    def by_bar(self) -> bool:
        """Whether the position of a progress bar is the step.

        A bar is drawn anew behind what is printed over it: the one that follows a row has the row's step, while the one
        before it may be older.
        """
        return self._bar is not None

    def draws(self, counts: Counts) -> bool:
        """Whether a line without values draws the bar that is the step."""
        return any(name == "bar" and total == self._bar for name, _, total in counts)

    def _count_epochs_or_rows(self, epochs: Sequence[float], rows: Sequence[tuple[Counts, Sequence[str]]]) -> None:
        """Epochs are steps where few rows share one."""
        if epochs and _is_whole(epochs) and 2 * len(set(epochs)) >= _most_of_a_tag(rows):
            self.source, self.name = "epoch", "epoch"
        else:
            self.source = "ordinal"

    def of(self, counts: Counts, tags: Sequence[str], *, held_out: bool) -> int:
        """Return the step of a row with these values; of a row without any, note what it counts."""
        found = dict[str, tuple[float, float | None]]()
        for name, value, total in counts:
            found.setdefault(name, (value, total))
        if "epoch" in found and abs(found["epoch"][0]) < _LARGEST:
            self._next = int(found["epoch"][0])
        if self.source == "epoch":
            self.step = self._next or 0
        elif self.source == "ordinal":
            self._count_block(tags)
        elif self._bar is not None:
            value, total = found.get("bar", (0.0, None))
            if total == self._bar:
                self.step = int(value)
        elif (ranked := next((name for name in self._ranks if name in found), None)) is not None:
            in_epoch = ranked in _PLACES or found[ranked][1] is not None
            self._step(*found[ranked], in_epoch=in_epoch, held_out=held_out)
        return self.step

    def of_cycle(
        self, templates: Sequence[Template], columns: Sequence[Sequence[Sequence[str]]], count: int
    ) -> list[Sequence[int]]:
        """Return the steps of lines that come again ``count`` times: for each template a column.

        Args:
            templates: of the lines, in order.
            columns: the texts of their numbers, by template and group.
            count: how often they come.
        """
        start = 0
        parts = list[list[Sequence[int]]]()
        while start < count:
            first = self._of_row(templates, columns, start)
            end = start + 1
            if start + 1 < count:
                second, before = self._of_row(templates, columns, start + 1), set(self._in_block)
                end = start + 2
                if end < count:
                    end = self._same_epoch(templates, columns, start + 1, count)
                    rest = self._go_on(templates, columns, first, second, start + 2, end)
                    parts.append([[one, two, *more] for one, two, more in zip(first, second, rest, strict=True)])
                    self._in_block = before
                else:
                    parts.append([[one, two] for one, two in zip(first, second, strict=True)])
            else:
                parts.append([[one] for one in first])
            start = end
        return [[step for part in parts for step in part[index]] for index in range(len(templates))]

    def _of_row(self, templates: Sequence[Template], columns: Sequence[Sequence[Sequence[str]]], row: int) -> list[int]:
        """The steps of one time that the lines come, each by ``of``."""
        found = list[int]()
        for template, texts in zip(templates, columns, strict=True):
            counts = [
                (
                    each.name,
                    float(texts[each.token][row]),
                    None if each.total is None else float(texts[each.total][row]),
                )
                for each in template.counters
            ]
            found.append(self.of(counts, template.tags, held_out=template.entry.held_out))
        return found

    def _same_epoch(
        self, templates: Sequence[Template], columns: Sequence[Sequence[Sequence[str]]], start: int, count: int
    ) -> int:
        """Up to which row every epoch is that of the row ``start``; that row alone if it has several."""
        end, epochs = count, set[int]()
        for template, texts in zip(templates, columns, strict=True):
            for each in template.counters:
                if each.name == "epoch":
                    column = [int(float(text)) for text in texts[each.token][start:end]]
                    same = next((at for at, epoch in enumerate(column) if epoch != column[0]), len(column))
                    end = start + same
                    epochs.add(column[0])
        return max(end, start + 1) if len(epochs) <= 1 else start + 1

    def _go_on(
        self,
        templates: Sequence[Template],
        columns: Sequence[Sequence[Sequence[str]]],
        first: Sequence[int],
        second: Sequence[int],
        start: int,
        end: int,
    ) -> list[Sequence[int]]:
        """The steps from row ``start`` on, after two rows, in one epoch."""
        if start >= end:
            return [[] for _ in templates]
        if self.source != "step":
            more = range(1, end - start + 1)
            counted: list[Sequence[int]] = [
                [two + (two - one) * times for times in more] for one, two in zip(first, second, strict=True)
            ]
            self.step = counted[-1][-1]
            return counted
        found = list[Sequence[int] | None]()
        for template, texts in zip(templates, columns, strict=True):
            found.append(self._column(template, texts, start, end))
        last = next((column for column in reversed(found) if column is not None), None)
        if last is None:
            return [[two] * (end - start) for two in second]
        current: Sequence[int] = [second[-1], *last[:-1]]
        filled = list[Sequence[int]]()
        for column in found:
            current = current if column is None else column
            filled.append(current)
        self.step = last[-1]
        return filled

    def _column(self, template: Template, texts: Sequence[Sequence[str]], start: int, end: int) -> Sequence[int] | None:
        """The steps that lines of a template tell; None if they tell none."""
        names = {each.name: each for each in reversed(template.counters)}
        if self._bar is not None:
            bar = names.get("bar")
            if bar is None or bar.total is None or float(texts[bar.total][start]) != self._bar:
                return None
            return [int(text) for text in texts[bar.token][start:end]]
        name = next((name for name in self._ranks if name in names), None)
        if name is None:
            return None
        counter, held_out = names[name], template.entry.held_out
        if held_out and self._last and (name in _PLACES or counter.total is not None):
            return None
        values = [int(float(text)) if "." in text else int(text) for text in texts[counter.token][start:end]]
        self._last = values[-1]
        if counter.total is not None and not held_out:
            self._total = int(float(texts[counter.total][end - 1]))
        return [value + self._offset for value in values] if self._offset else values

    def _enter(self, epoch: int, value: float, total: float | None) -> None:
        """A step that starts anew with a later epoch goes on; an earlier epoch is a restart, with its own steps."""
        before = self._epoch
        if before is not None and epoch > before:
            if value < self._last or value == self._last == total:
                self._offset += (self._total or self._last) * (epoch - before)
        else:
            self._offset = self._offsets.get(epoch, 0)
        self._epoch, self._last = epoch, int(value)
        if len(self._offsets) < _MOST_EPOCHS:
            self._offsets[epoch] = self._offset

    def _step(self, value: float, total: float | None, *, in_epoch: bool, held_out: bool) -> None:
        if not abs(value) < _LARGEST or (held_out and in_epoch and self._last):
            return  # the place in a loop over held-out data is no step of the training
        if self._next is not None and self._next != self._epoch:
            self._enter(self._next, value, total)
        self._last = int(value)
        if total is not None and not held_out:
            self._total = int(min(total, _LARGEST))
        self.step = self._last + self._offset

    def _count_block(self, tags: Sequence[str]) -> None:
        """A name that comes again begins the next step."""
        if not tags:
            return
        if not self._in_block.isdisjoint(tags):
            self._in_block.clear()
            self.step += 1
        self._in_block.update(tags)


def _most_of_a_tag(rows: Sequence[tuple[Counts, Sequence[str]]]) -> int:
    return max(Tally(tag for _, tags in rows for tag in tags).values(), default=0)


def _columns(rows: Iterable[Counts]) -> dict[str, list[float]]:
    columns = dict[str, list[float]]()
    for counts in rows:
        for name, value, _ in counts:
            columns.setdefault(name, []).append(value)
    return columns


def _ranked(columns: Mapping[str, list[float]]) -> list[str]:
    """Names of steps, in order of trust: those that never go back first."""
    known = [name for name in RANKS if name in columns and _is_whole(columns[name]) and _moves(columns[name])]
    return sorted(known, key=lambda name: not _is_steady(columns[name]))


def _bar_beside(first: Sequence[tuple[Counts, Sequence[str]]]) -> float | None:
    """The total of the progress bar that is drawn between most of the rows; None if there is none."""
    tally, drawn, rows = Tally[float](), None, 0
    for counts, tags in first:
        drawn = next((total for name, _, total in counts if name == "bar"), drawn)
        if tags:
            rows += 1
            tally.update([] if drawn is None else [drawn])
            drawn = None
    total, count = tally.most_common(1)[0] if tally else (None, 0)
    return total if 2 * count > rows else None


def _is_whole(column: Sequence[float]) -> bool:
    return sum(value.is_integer() for value in column) >= 0.9 * len(column)


def _is_steady(column: Sequence[float]) -> bool:
    return all(before <= after for before, after in pairwise(column))


def _moves(column: Sequence[float]) -> bool:
    return len(column) == 1 or len(set(column)) > 1
