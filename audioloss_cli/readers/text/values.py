"""What one line holds, with its numbers as numbers."""

from collections.abc import Sequence
from typing import NamedTuple

from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers.text.entry import Entry, number_in
from audioloss_cli.readers.text.template import Template

_SHOWN = 100  # characters of a line in the note


class Values(NamedTuple):
    """What a line holds: how it begins, what it counts, its numbers, its names without one."""

    start: str
    counts: list[tuple[str, float, float | None]]
    numbers: list[tuple[str, float]]
    entry: Entry
    held_out: bool


class ValueReader:
    """Takes the numbers out of lines that were parsed, one after the other.

    Attributes:
        held_out: whether the lines say that they are of an evaluation until another one says otherwise.
    """

    def __init__(self) -> None:
        self.held_out = False

    def of(self, line: str, entry: Entry) -> Values:
        """Return what a line holds that was taken apart as this entry."""
        texts = [line[token.start : token.end] for token in entry.tokens]
        counts = [
            (each.name, number_in(texts[each.token]), None if each.total is None else number_in(texts[each.total]))
            for each in entry.counters
        ]
        if entry.mode is not None:
            self.held_out = entry.mode
        numbers = [(self._tag(tag), number_in(texts[index])) for tag, index in entry.numbers]
        return Values(line[:_SHOWN], counts, numbers, entry, entry.held_out or self.held_out)

    def of_match(self, line: str, template: Template, groups: Sequence[str]) -> Values:
        """Return what a line holds whose numbers are the groups of a template."""
        counts = [
            (each.name, number_in(groups[each.token]), None if each.total is None else number_in(groups[each.total]))
            for each in template.counters
        ]
        numbers = [
            (self._tag(tag), number_in(groups[place]))
            for tag, place in zip(template.tags, template.places, strict=True)
        ]
        return Values(line[:_SHOWN], counts, numbers, template.entry, template.entry.held_out or self.held_out)

    def _tag(self, tag: str) -> str:
        return f"eval/{tag}" if self.held_out and not is_held_out(tag) else tag
