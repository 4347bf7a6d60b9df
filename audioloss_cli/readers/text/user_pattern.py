"""Lines as the user says what they are like; see ``naming/line_pattern.py``."""

import re
import time
from collections.abc import Sequence

from audioloss_cli.naming.line_pattern import LONGEST_LINE, LinePattern
from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers.text.entry import Counter, Entry, Token
from audioloss_cli.readers.text.pairs import NUMBER
from audioloss_cli.readers.text.steps import RANKS

_NUMBER = re.compile(rf"\s*+({NUMBER}|[-+]?(?:nan|inf(?:inity)?))\s*+", re.IGNORECASE)
_LONG, _SECONDS = 256, 5.0  # of lines of which it is measured how long they take, and may take in all


class UserPattern:
    """A dialect made of a pattern of the user.

    Attributes:
        is_exhausted: it took so long on long lines that it is applied to short ones alone from then on.
    """

    ORDER = 0
    MARKS: Sequence[str] = ()

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_exhausted = False
        self._search = LinePattern(text).search
        self._left = _SECONDS

    def parse(self, line: str) -> Entry | None:
        """Return what the groups of the pattern hold; None if it is not found in the line."""
        if len(line) <= _LONG:
            match = self._search(line)
        elif len(line) > LONGEST_LINE or self.is_exhausted:
            return None
        else:
            start = time.perf_counter()
            match = self._search(line)
            self._left -= max(0.0, time.perf_counter() - start - 0.001)  # what a line of this length may take
            self.is_exhausted = self._left < 0
        return None if match is None else _entry(line, match)


def _entry(line: str, match: "re.Match[str]") -> Entry:
    tokens, entry = list[Token](), Entry(is_record=True)
    for name, text in match.groupdict().items():
        number = None if text is None else _NUMBER.fullmatch(text)
        if text is None or number is None:
            if text is not None:
                entry.blanks.append(name)
            continue
        start = match.start(name) + number.start(1)
        tokens.append(Token(start, start + len(number[1]), is_number=True))
        at = len(tokens) - 1
        if name == "epoch" or name in RANKS:
            entry.counters.append(Counter(name, at))
        else:
            entry.numbers.append((name, at))
            entry.held_out |= is_held_out(name)
    entry.tokens = tokens
    return entry
