"""Lines that differ in their numbers alone: the first is taken apart, the others are matched against it."""

import re
from collections.abc import Sequence

from audioloss_cli.readers.text.entry import Counter, Entry
from audioloss_cli.readers.text.pairs import NUMBER, TIME

_VALUE = rf"({NUMBER}|[-+]?(?i:nan|inf(?:inity)?))"
_NUMBER = re.compile(NUMBER)
_KEY = {ord(char): None for char in "0123456789.+- "}
_LONGEST, _MOST_TOKENS = 2000, 90


def key_of(line: str) -> str:
    """Return what lines of one template have in common."""
    return line.translate(_KEY)


class Template:
    """The text between the numbers of a line, and what each number is.

    Attributes:
        entry: of the line that it was made of.
        counters: of the entry, with places among ``groups`` in place of tokens.
        places: of the values of ``entry.numbers``, among the groups.
        groups: how many there are.
        pattern: of the whole of a line.
        match: of the whole of another line, or None; its groups are the numbers that are used.
    """

    __slots__ = ("counters", "entry", "groups", "match", "pattern", "places", "tags")

    def __init__(self, line: str, entry: Entry) -> None:
        used = {index for _, index in entry.numbers} | {counter.token for counter in entry.counters}
        used |= {counter.total for counter in entry.counters if counter.total is not None}
        parts, before = list[str](), 0
        order = dict[int, int]()
        for index, token in enumerate(entry.tokens):
            parts.append(_literal(line[before : token.start]))
            if index in entry.parts_of_names:
                parts.append(re.escape(line[token.start : token.end]))
            elif index in used:
                order[index] = len(order)
                parts.append(_VALUE)
            else:
                parts.append(_unused(line[token.start : token.end]))
            before = token.end
        parts.append(_literal(line[before:]))
        self.entry = entry
        self.groups = len(order)
        self.pattern = "".join(parts)
        self.match = re.compile(self.pattern).fullmatch
        self.places = [order[index] for _, index in entry.numbers]
        self.tags = [tag for tag, _ in entry.numbers]
        self.counters = [
            Counter(each.name, order[each.token], None if each.total is None else order[each.total])
            for each in entry.counters
        ]

    @staticmethod
    def can_stand_for(line: str, entry: Entry) -> bool:
        """Whether other lines that match say the same: not if two numbers may grow together, or a blank was told."""
        if len(line) > _LONGEST or len(entry.tokens) > _MOST_TOKENS or entry.blanks or entry.mode is not None:
            return False
        return _are_apart(line, [(token.start, token.end) for token in entry.tokens])


def _are_apart(line: str, spans: Sequence[tuple[int, int]]) -> bool:
    """``1,20`` are two numbers and ``1,200`` is one; a thousands separator is read by the long way."""
    before = -1
    for start, end in spans:
        if "," in line[start:end] and ":" not in line[start:end]:
            return False
        if before >= 0 and line[before:start] in (",", "", "."):
            return False
        before = end
    return True


def _unused(text: str) -> str:
    """A pattern for a time, a number, or a number with its unit: ``1.02it/s``."""
    if ":" in text:
        return TIME
    number = _NUMBER.match(text)
    return NUMBER + re.escape(text[number.end() :]) if number is not None else re.escape(text)


def _literal(text: str) -> str:
    """Numbers are padded with spaces, whose number says nothing where there is one at all and no more than one word."""
    stripped = text.rstrip(" ")
    return re.escape(stripped) + (" ++" if len(stripped) < len(text) else "")
