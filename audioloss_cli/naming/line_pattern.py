"""A user's own regular expression over lines of console output, checked so that no line can make it hang."""

import importlib
import re
from collections.abc import Sequence
from typing import Any

from audioloss_cli.model.limits import SettingError

LONGEST_LINE = 4096  # characters that a pattern is applied to
_MOST_WORK = 250_000_000  # steps of the engine on the worst line: some seconds
_OTHER = 256  # stands for every character beyond Latin-1
_EVERY = frozenset(range(_OTHER + 1))
_DIGITS, _SPACES = frozenset(b"0123456789"), frozenset(b" \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0")
_WORDS = frozenset(code for code in range(_OTHER) if chr(code).isalnum() or code == ord("_"))
_STEPS = frozenset({"step", "global_step", "iteration", "iter", "update", "batch", "epoch"})


class LinePattern:
    r"""A pattern with named groups: ``step`` (or ``iteration``, ``epoch``), and a name for each number.

    A name is a Python identifier, so ``audio_loss``. Repeats must be bounded, or end where something begins that they
    do not match: ``\d+ `` and ``[^,]*,`` are, ``.*`` is not.

    Raises:
        SettingError: it is no regular expression, names no number, or could take minutes on a line of 4 KB.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.search = re.compile(text).search
            parsed = importlib.import_module("re._parser").parse(text)
        except (re.error, OverflowError, RecursionError) as error:
            raise SettingError("line_patterns", f"{text!r} is no regular expression: {error}") from None
        names = [name for name in parsed.state.groupdict if name not in _STEPS]
        if not names:
            raise SettingError("line_patterns", rf"{text!r} names no number; write (?P<audio_loss>[-+.\deE]+) for one")
        if _worst(text, parsed) > _MOST_WORK:
            advice = "bound what repeats, .{0,80}? in place of .*, or say what it must not match, [^,]*"
            raise SettingError("line_patterns", f"{text!r} could take minutes on a line of 4 KB; {advice}")


class _TooMuchError(Exception):
    """Something whose cost cannot be bounded."""


def _worst(text: str, parsed: Any) -> float:
    """An upper bound on the steps that the engine takes on a line of 4 KB."""
    folds = bool(parsed.state.flags & re.IGNORECASE) or "(?i" in text
    try:
        work = _Work(folds).of(list(parsed))
    except (_TooMuchError, RecursionError):
        return float("inf")
    return work * LONGEST_LINE / max(1, _literal_length(list(parsed)))


def _literal_length(nodes: Sequence[Any]) -> int:
    """How many literal characters come first: they are found so often in a line, and no more."""
    length = 0
    for op, _ in nodes:
        if str(op) != "LITERAL":
            break
        length += 1
    return length


class _Work:
    """Walks the tree of a pattern from its end; ``_after`` is what may come next, None for the end of the pattern."""

    def __init__(self, folds: bool) -> None:
        self._folds = folds

    def of(self, nodes: Sequence[Any], after: frozenset[int] | None = None, rest: float = 0.0) -> float:
        """The work for these nodes, where what follows begins with one of ``after`` and takes ``rest``."""
        for index in range(len(nodes) - 1, -1, -1):
            op, value = str(nodes[index][0]), nodes[index][1]
            follows = _literal_length(nodes[index + 1 :])
            rest = self._node(op, value, after, rest, follows)
            after = self._first(op, value, after)
        return rest

    def _node(self, op: str, value: Any, after: frozenset[int] | None, rest: float, follows: int) -> float:
        if op in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT"):
            return 1 + rest
        if op == "SUBPATTERN":
            return self.of(list(value[3]), after, rest)
        if op == "BRANCH":
            return sum(self.of(list(branch), after, rest) for branch in value[1])
        if op == "ATOMIC_GROUP":
            return self.of(list(value)) + rest
        if op in ("ASSERT", "ASSERT_NOT"):
            return self.of(list(value[1])) + rest
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(op, value, after, rest, follows)
        raise _TooMuchError(op)  # a reference back to a group

    def _repeat(self, op: str, value: Any, after: frozenset[int] | None, rest: float, follows: int) -> float:
        least, most, body = int(value[0]), min(int(value[1]), LONGEST_LINE), list(value[2])
        single = self._single(body)
        if single is None and most > 1 and self._varies(body):
            raise _TooMuchError("a repeat within a repeat")
        once = 1.0 if single is not None else self.of(body)
        ways = most - min(least, most) + 1
        settled = op == "POSSESSIVE_REPEAT" or (single is not None and after is not None and not single & after)
        if after is None or settled or ways == 1:
            return most * once + rest
        return most * once + ways * max(1, follows) + -(-ways // max(1, follows)) * rest

    def _varies(self, nodes: Sequence[Any]) -> bool:
        """Whether it may match in several ways."""
        for op, value in nodes:
            name = str(op)
            if name in ("BRANCH", "ASSERT", "ASSERT_NOT") or (name.endswith("REPEAT") and value[0] != value[1]):
                return True
            inner = value[2] if name.endswith("REPEAT") else value[3] if name == "SUBPATTERN" else ()
            if self._varies(list(inner)):
                return True
        return False

    def _single(self, body: Sequence[Any]) -> frozenset[int] | None:
        """The characters that it matches, if it matches one."""
        if len(body) != 1:
            return None
        op, value = str(body[0][0]), body[0][1]
        return self._single(list(value[3])) if op == "SUBPATTERN" else self._characters(op, value)

    def _characters(self, op: str, value: Any) -> frozenset[int] | None:
        if op == "ANY":
            return _EVERY
        if op == "LITERAL":
            return self._folded(frozenset({min(value, _OTHER)}))
        if op == "NOT_LITERAL":
            return _EVERY - (self._folded(frozenset({value})) if value < _OTHER else frozenset())
        if op != "IN":
            return None
        found, negated = set[int](), False
        for kind, item in value:
            name = str(kind)
            if name == "NEGATE":
                negated = True
            elif name == "LITERAL":
                found.add(min(item, _OTHER))
            elif name == "RANGE":
                found.update(range(min(item[0], _OTHER), min(item[1], _OTHER) + 1))
            else:
                found |= _category(str(item))
        characters = self._folded(frozenset(found))
        return (_EVERY - characters) | {_OTHER} if negated else characters

    def _folded(self, characters: frozenset[int]) -> frozenset[int]:
        if not self._folds:
            return characters
        letters = [chr(code) for code in characters if code < _OTHER and chr(code).isalpha()]
        cases = {case for char in letters for case in (char.lower(), char.upper()) if len(case) == 1}
        return characters | {min(ord(case), _OTHER) for case in cases} | ({_OTHER} if letters else set())  # K is Kelvin

    def _first(self, op: str, value: Any, after: frozenset[int] | None) -> frozenset[int] | None:
        """What a match of a node and of what follows it may begin with."""
        characters = self._characters(op, value)
        if characters is not None:
            return characters
        if op == "SUBPATTERN":
            return self._first_of(list(value[3]), after)
        if op == "BRANCH":
            firsts = [self._first_of(list(branch), after) for branch in value[1]]
            return frozenset().union(*(first if first is not None else _EVERY for first in firsts))
        if op.endswith("REPEAT"):
            first = self._first_of(list(value[2]), _EVERY if after is None else after)
            return first if value[0] else (first or frozenset()) | (_EVERY if after is None else after)
        return _EVERY  # an assertion or an anchor may fail

    def _first_of(self, nodes: Sequence[Any], after: frozenset[int] | None) -> frozenset[int] | None:
        for op, value in reversed(nodes):
            after = self._first(str(op), value, after)
        return after


def _category(name: str) -> frozenset[int]:
    kind = name.rpartition("_")[2]
    characters = {"DIGIT": _DIGITS, "SPACE": _SPACES, "WORD": _WORDS}.get(kind, _EVERY)
    return (_EVERY - characters) | {_OTHER} if "_NOT_" in name else characters | {_OTHER}
