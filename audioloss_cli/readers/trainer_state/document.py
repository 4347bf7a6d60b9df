"""The rows of ``log_history`` in a JSON document, found piece by piece, in bounded memory."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from audioloss_cli.model.series import UNFINISHED, DefectKind

_HISTORY = re.compile(rb'"log_history"\s*:\s*\[')
_LIST = re.compile(rb'\[\s*\{\s*"')
_BETWEEN = re.compile(rb"[\s,]*")
_ROW = re.compile(rb'\{\s*"')
_LONGEST_ROW = 16 << 20
_WINDOW, _LITERAL = 1 << 16, 16  # bytes that are decoded at once; of a number or a word that may be cut
_SMALLEST_BLOCK, _MOST_ALONE = 1 << 11, 1 << 4  # so many bytes; so many blocks are not offered where none was taken
_KEY = 256  # bytes of what is passed over that may be the start of the key
_MOST_FAILURES = 10_000
_DEEPEST = 5  # objects that the history stands in
_MOST_CUT = 1 << 12  # a text that is cut is sound up to the start of its last value
_MOST_DIGITS = 400  # of an integer; beyond, it is more than float64 holds

Take = Callable[[bytes, int], bool]


class Found(NamedTuple):
    """One row, and its 1-based line."""

    line: int
    row: dict[str, Any]


class Trouble(NamedTuple):
    """Something that could not be read: kind, what it is, 1-based line, byte offset."""

    kind: DefectKind
    message: str
    line: int
    offset: int


# What stands behind a list in an object: its end, another key, or nothing where the file was cut.
_GOES_ON = re.compile(rb"$|\}|,\s*(?:\"|$)")

Items = Generator[Found | Trouble | None, None, bool]


class Document:
    """One file.

    Args:
        pieces: of its text.
        take: is offered rows that follow each other, with commas between, and the line of the first; False to have
            them one by one.
        anywhere: take every object with a step for a row, for damage took the name of the list.

    Attributes:
        histories: how many lists of rows there were.
    """

    def __init__(self, pieces: Iterator[bytes], take: Take, *, anywhere: bool = False) -> None:
        self.histories = 0
        self._pieces = pieces
        self._take = take
        self._anywhere = anywhere
        self._text = b""  # what was read and is still of use
        self._window = 0, ""  # a part of it, a character a byte, and where that starts
        self._at = 0  # where the reading stands in it
        self._counted = 0  # up to where newlines were counted
        self._line, self._start = 1, 0  # of the line at ``_counted``, of the first byte of ``_text``
        self._offered = 0  # up to where rows are not offered
        self._alone = 1  # blocks that are not offered after one that was not taken
        self._is_lost = anywhere  # whether it is not known that a row starts at the next brace
        self._failures = 0  # starts of rows, one after the other, that were none
        self._commas, self._has_row = 0, False  # commas since the last row, if there was one in this list
        self._last = b""  # the last byte of the file that is no white space

    def read(self) -> Iterator[Found | Trouble | None]:
        """Yield every row that was not taken, in order, every Trouble, and None after rows that were taken."""
        is_closed = False
        while self._find_list() if self._anywhere else self._find_history():
            self.histories += 1
            if self.histories == 1 and not self._anywhere and not self._is_sound_before():
                yield Trouble("malformed", "what stands before the history is damaged; the rows were read", 1, 0)
            if self.histories > 1:
                message = "a second document starts here; its rows were read behind those of the first"
                yield self._trouble("malformed", message)
            is_closed = yield from self._rows()
            if self._anywhere or self._failures > _MOST_FAILURES:
                return
        if is_closed and self._last != b"}":
            yield self._trouble("truncated", f"the document ends before its closing brace; {UNFINISHED}")

    def _find_history(self) -> bool:
        while not (found := _HISTORY.search(self._text, self._at)):
            self._at = max(self._at, len(self._text) - _KEY)
            if not self._more():
                self._at = len(self._text)
                return False
        self._at = found.end()
        return True

    def _find_list(self) -> bool:
        """Go to what may be the list, near the start; else rows are looked for from the start on."""
        self._more()
        found = _LIST.search(self._text)
        self._at = found.start() + 1 if found else 0
        return True

    def _is_sound_before(self) -> bool:
        """Whether the list stands in an object, as far as what is before it is still at hand."""
        if self._start:
            return True
        try:
            before = self._text[: self._at].decode("utf-8-sig")
        except UnicodeDecodeError:
            return False
        return any(_is_json(before + "]" + "}" * depth) for depth in range(1, _DEEPEST))

    def _rows(self) -> Items:
        """The rows of one list; returns whether its end was found."""
        self._commas, self._has_row = 0, False
        while True:
            self._pass_by_commas()
            if len(self._text) - self._at < _SMALLEST_BLOCK and self._more():
                continue
            is_closing = self._text[self._at : self._at + 1] == b"]"
            if not self._is_separated(is_closing):
                yield self._trouble("malformed", "a comma too many or too few stands here; the rows were read")
            if self._at >= len(self._text):
                return (yield from self._cut_short())
            if is_closing and not self._is_lost:
                behind = self._text[self._at + 1 :].lstrip()
                if len(behind) < _SMALLEST_BLOCK and self._more():
                    continue
                self._at += 1
                if _GOES_ON.match(behind):
                    return True
                message = "a bracket closes the history before its end; the rows behind it were read"
                yield self._trouble("malformed", message)
                continue
            self._commas, self._has_row = 0, True
            if not self._is_lost and self._at >= self._offered and self._whole():
                yield None
            elif (yield from self._one()):
                return False

    def _pass_by_commas(self) -> None:
        found = _BETWEEN.match(self._text, self._at)
        if found:
            self._at, self._commas = found.end(), self._commas + found[0].count(b",")

    def _is_separated(self, is_closing: bool) -> bool:
        """Whether one comma stands between two rows, and none elsewhere, as far as that can be known."""
        cut = self._at >= len(self._text)
        expected = self._commas if self._is_lost or cut else int(self._has_row and not is_closing)
        is_right, self._commas = self._commas == expected, expected
        return is_right

    def _cut_short(self) -> Items:
        if not self._is_lost:
            yield self._trouble("truncated", f"the document ends inside its history; {UNFINISHED}")
        return False

    def _whole(self) -> bool:
        """Offer as many rows as there are in whole, or half of them, and so on; False to go on with one alone."""
        end = self._text.find(b"]", self._at)  # of the list, unless a row holds one itself
        cut = end if end >= 0 else self._text.rfind(b"},", self._at) + 1
        if cut - self._at <= _SMALLEST_BLOCK:
            return False
        while cut - self._at > _SMALLEST_BLOCK:
            if self._take(self._text[self._at : cut], self._line_at(self._at)):
                self._at = cut
                self._alone = 1
                return True
            cut = self._text.rfind(b"},", self._at, self._at + (cut - self._at) // 2) + 1
        self._offered = self._at + _SMALLEST_BLOCK * self._alone
        self._alone = min(2 * self._alone, _MOST_ALONE)
        return False

    def _one(self) -> Items:
        """The next row; returns whether the document is done with."""
        while True:
            try:
                row, end = self._object()
            except _CutError:
                if len(self._text) - self._at < _LONGEST_ROW and self._more():
                    continue
                return (yield from self._skip())
            except (ValueError, RecursionError):
                return (yield from self._skip())
            if not self._is_lost or "step" in row:
                self._is_lost = self._anywhere
                self._failures = 0
                if not all(map(str.isascii, row)):
                    row = {_utf8(key): value for key, value in row.items()}
                    if any("\ufffd" in key for key in row):
                        yield self._trouble("encoding", "a key in this row is no UTF-8; its numbers were read")
                yield Found(self._line_at(self._at), row)
            self._at = end
            return False

    def _object(self) -> tuple[dict[str, Any], int]:
        """The object that starts here, and the index behind it.

        Raises:
            ValueError: there is none, or it is broken; _CutError if it may go on behind what was read.
            RecursionError: it holds lists in lists in lists.
        """
        if self._text[self._at] != ord("{"):
            raise ValueError("what starts here is no object")
        size = _WINDOW
        while True:
            start, window = self._window_of(size)
            try:
                row, end = _DECODER.raw_decode(window, self._at - start)
            except json.JSONDecodeError as error:
                if not error.msg.startswith("Unterminated") and error.pos < len(window) - _LITERAL:
                    raise
                if start + len(window) == len(self._text):
                    raise _CutError from None
                size *= 4
            else:
                return row, start + end

    def _window_of(self, size: int) -> tuple[int, str]:
        """A part of the text, and where it starts: an error of ``json`` costs as much as the text is long."""
        start, window = self._window
        end = start + len(window)
        if not start <= self._at < end or (end < len(self._text) and end - self._at < size // 2):
            self._window = self._at, self._text[self._at : self._at + size].decode("latin-1")
        return self._window

    def _skip(self) -> Items:
        """Go to what may be the next row; returns whether there is none."""
        found = _ROW.search(self._text, self._at + 1)
        if not self._is_lost:
            if not found and (self._last != b"}" or b"]" not in self._text[self._at :]):
                yield self._trouble(
                    "truncated", f"the document ends inside a row; the rows before were read; {UNFINISHED}"
                )
            else:
                message = "what stands here in the history is no row; it was skipped; repair or remove it"
                yield self._trouble("malformed", message)
        self._is_lost = True
        self._failures += 1
        if self._failures > _MOST_FAILURES:
            yield self._trouble("malformed", "no row was found from here on; the rest was not read; restore the file")
            return True
        self._at = found.start() if found else len(self._text)
        return not found and not self._more()

    def _more(self) -> bool:
        """Read a piece; False at the end of the file."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._line_at(self._at)
        self._start += self._at
        self._offered = max(self._offered - self._at, 0)
        self._text, self._window = self._text[self._at :] + piece, (0, "")
        self._at = self._counted = 0
        self._last = (self._last + piece[-_KEY:].strip())[-1:]
        return True

    def _line_at(self, index: int) -> int:
        """The line of an index; indexes are asked for in order."""
        self._line += self._text.count(b"\n", self._counted, index)
        self._counted = index
        return self._line

    def _trouble(self, kind: DefectKind, message: str) -> Trouble:
        return Trouble(kind, message, self._line_at(self._at), self._start + self._at)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class _CutError(ValueError):
    """The text ends inside an object."""


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _utf8(key: str) -> str:
    """A key as it was before each byte became a character."""
    return key if key.isascii() or max(key) > "\xff" else key.encode("latin-1").decode("utf-8", "replace")


def is_sound(head: bytes, size: int) -> bool:
    """Tell whether the first ``size`` bytes of a file are JSON, or JSON lines, as far as they go."""
    text = head.decode("latin-1").lstrip("\xef\xbb\xbf")
    if not text.startswith(("{", "[")):
        return False
    for part in (text, text.partition("\n")[0]):
        try:
            json.loads(part)
        except json.JSONDecodeError as error:
            if len(head) >= size and part is text and error.pos > len(text) - _MOST_CUT:
                return True
        except (ValueError, RecursionError):
            continue
        else:
            return True
    return False
