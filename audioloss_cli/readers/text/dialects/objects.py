"""A Python dict or a JSON object in a line, whatever stands before it.

Written by: Trainer of transformers, LLaMA-Factory, axolotl, fairseq (``[time][train_inner][INFO] - {...}``), verl.

Example: ``{'loss': '4.018', 'grad_norm': nan, 'epoch': 0.01}``
"""

import re

from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers._rows.steps import STEP_KEYS
from audioloss_cli.readers.text.entry import Counter, Entry, Token
from audioloss_cli.readers.text.pairs import NUMBER, rank_of, read_pairs

ORDER = 10
MARKS = ("{'", '{"')

_START = re.compile(r"""\{\s*+(?=['"])""")
_NUMBER = rf"{NUMBER}(?![\w.])|[-+]?(?:nan|inf(?:inity)?)(?!\w)"
_WRAPPED = r"(?:tensor|array|[\w.]{0,16}float\d{0,3})\(\[?"
_TOKEN = re.compile(
    rf"""\s*+(?:(?P<open>[\{{\[(])|(?P<close>[}}\])])|(?P<comma>,)|(?P<colon>:)
    |(?P<quoted>["'])(?P<inner>{_NUMBER})(?P=quoted)(?!\s*:)
    |(?P<text>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')
    |(?:{_WRAPPED})?(?P<number>{_NUMBER})(?P<end>\]?(?:,\s[\w=':, ]{{0,80}}+)?\))?
    |(?P<null>None|null)|(?P<word>[\w.%/+-]++))""",
    re.IGNORECASE | re.VERBOSE,
)
_DEEPEST, _LONGEST_NAME, _MOST_NUMBERS, _LONGEST_LIST = 50, 4096, 20_000, 256
_STEPS = frozenset([*STEP_KEYS, "epoch", "train_num_updates"])
_NAMES = {"train_num_updates": "num_updates"}


def parse(line: str) -> Entry | None:
    """Return the object in the line and what is written before it; None if there is none, or it is broken off."""
    start = _START.search(line)
    if start is None:
        return None
    rank, behind = rank_of(line)
    entry = read_pairs(line, Entry(rank=rank), min(behind, start.start()), start.start())
    entry.numbers, entry.held_out, entry.is_record = [], False, True
    if not _Object(line, entry).read(start.start()) or not (entry.numbers or entry.nulls):
        return None
    return entry


class _Object:
    """Reads one object, token by token; ``path`` are the keys above, ``places`` the index in each open list."""

    def __init__(self, line: str, entry: Entry) -> None:
        self.line, self.entry = line, entry
        self.tokens = list(entry.tokens)
        self.path, self.places = list[str](), list[int]()
        self.key, self.expects_key = "", True

    def read(self, at: int) -> bool:
        """Whether the object is closed."""
        line, entry = self.line, self.entry
        while (match := _TOKEN.match(line, at)) is not None:
            at, kind = match.end(), match.lastgroup
            if kind == "open":
                if len(self.places) == _DEEPEST:
                    return False
                self._open(match["open"])
            elif kind == "close":
                if not self._close():
                    entry.tokens = self.tokens
                    return True
            elif kind == "comma":
                self._next()
            elif kind == "colon":
                self.expects_key = False
            elif kind == "text" and self.expects_key:
                self.key = match["text"][1:-1]
            elif len(self.tokens) < _MOST_NUMBERS:
                self._value(match, kind or "")
        return False

    def _open(self, bracket: str) -> None:
        if self.places:
            self.path.append(self._name())
        self.places.append(-1 if bracket == "{" else 0)
        self.expects_key, self.key = bracket == "{", ""

    def _close(self) -> bool:
        """Whether anything is open still."""
        self.places.pop()
        self.expects_key = False
        if self.path:
            self.path.pop()
        return bool(self.places)

    def _next(self) -> None:
        if self.places[-1] < 0:
            self.expects_key, self.key = True, ""
        else:
            self.places[-1] += 1

    def _name(self) -> str:
        return self.key if self.places[-1] < 0 else str(self.places[-1])

    def _value(self, match: "re.Match[str]", kind: str) -> None:
        if self.places[-1] >= _LONGEST_LIST:
            return
        name = "/".join([*self.path, self._name()])
        if len(name) > _LONGEST_NAME:
            return
        group = "inner" if match["inner"] is not None else "number" if match["number"] is not None else None
        if group is None:
            self.entry.blanks.append(name)
            self.entry.nulls += [name] if kind == "null" else []
            return
        self.tokens.append(Token(match.start(group), match.end(group), is_number=True))
        at = len(self.tokens) - 1
        if name.lower() in _STEPS:
            self.entry.counters.append(Counter(_NAMES.get(name.lower(), name.lower()), at))
            return
        self.entry.held_out |= is_held_out(name)
        self.entry.numbers.append((name, at))
