"""Lines that come again in the same order, thousands of times: matched together, and taken in column by column."""

import re
from array import array
from collections.abc import Sequence
from itertools import chain

from audioloss_cli.model import series
from audioloss_cli.readers._rows.table import Table
from audioloss_cli.readers.text.steps import Steps
from audioloss_cli.readers.text.template import Template

LONGEST = 40  # lines
_MOST_GROUPS = 400
_ROWS = 4096  # that are taken in together
_NAN = array("d", [float("nan")])


def period_of(last: Sequence[Template | None]) -> int:
    """Return how many of the last lines came twice in the same order; 0 if none did."""
    count = len(last)
    for period in range(1, min(LONGEST, count // 2) + 1):
        if last[count - period :] == last[count - 2 * period : count - period]:
            return period if None not in last[count - period :] else 0
    return 0


class Cycle:
    """The templates of lines that follow each other again and again.

    Attributes:
        points: how many numbers they hold each time.
    """

    def __init__(self, templates: Sequence[Template]) -> None:
        self.templates = templates
        self.points = sum(len(template.tags) for template in templates)
        self._match = re.compile("".join(f"{template.pattern}\n" for template in templates)).match

    @staticmethod
    def can_be(templates: Sequence[Template]) -> bool:
        """Whether there is anything to gain."""
        return any(template.tags for template in templates) and sum(each.groups for each in templates) <= _MOST_GROUPS

    def rows(self, text: str, start: int) -> tuple[list[Sequence[str]], int]:
        """Return the numbers of each time that the lines come from a place on, and where they end; 4096 at most."""
        most = min(_ROWS, max(1, series.POINTS_OF_A_CHUNK // self.points))
        rows, match = list[Sequence[str]](), self._match
        while (found := match(text, start)) is not None:
            rows.append(found.groups())
            start = found.end()
            if len(rows) >= most:
                break
        return rows, start

    def take(self, rows: Sequence[Sequence[str]], steps: Steps, tables: Sequence[Table]) -> None:
        """Put the numbers into the tables, one a template."""
        columns = list(zip(*rows, strict=True)) or []
        places, first = list[int](), 0
        for template in self.templates:
            places.append(first)
            first += template.groups
        found = steps.of_cycle(
            self.templates, [columns[at : at + t.groups] for at, t in self._parts(places)], len(rows)
        )
        into = dict[tuple[int, str], tuple[Table, list[tuple[Sequence[int], Sequence[str]]]]]()
        for (at, template), table, column in zip(self._parts(places), tables, found, strict=True):
            for tag, place in zip(template.tags, template.places, strict=True):
                into.setdefault((id(table), tag), (table, []))[1].append((column, columns[at + place]))
            table.step = column[-1]
        for (_, tag), (table, parts) in into.items():
            _put(table, tag, parts)

    def _parts(self, places: Sequence[int]) -> "list[tuple[int, Template]]":
        return list(zip(places, self.templates, strict=True))


def _put(table: Table, tag: str, parts: Sequence[tuple[Sequence[int], Sequence[str]]]) -> None:
    """Lengthen the columns of a tag; of several lines that hold it, each time one after the other."""
    into = table.columns(tag)
    if into is None:
        return
    steps, texts = parts[0]
    if len(parts) > 1:
        steps = list(chain.from_iterable(zip(*(steps for steps, _ in parts), strict=True)))
        texts = list(chain.from_iterable(zip(*(texts for _, texts in parts), strict=True)))
    into[0].extend(steps)
    into[1].extend(map(float, texts))
    into[2].extend(_NAN * len(texts))
    table.points += len(texts)
