"""The objects of a JSON text, one after the other, whatever stands between them; in bounded memory."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from audioloss_cli.readers._json import object_end, parse_text

_LONGEST_OBJECT = 64 << 20  # characters
_BETWEEN = re.compile(r"[ \t\r\n\f\v,\[\]]*")
_NO_UTF8 = re.compile("[\udc80-\udcff]")
# What may stand behind a row: an object inside of one is followed by its next key, or by its end.
_BEHIND_ROW = re.compile(r"\s*(?:,\s*[{\]]|\]|\{|\Z)")
_MOST_TRIES = 256
_TRIES_OF_DEEP = 64  # that one at an object without an end counts for, if it is nested too deep for the parser of C
_NEAR_END = 16
_decoder = json.JSONDecoder()


class Gap(NamedTuple):
    """A place that holds no whole object: its line, whether the text ends in it, whether some near it is no UTF-8."""

    line: int
    is_end: bool
    is_encoding: bool = False


class Scanner:
    """Takes a text in pieces of UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._line = 1
        self._waiting = list[str]()  # what was fed since the last try at an object
        self._wanted = self._held = 0  # how many characters there must be of it, and are
        self._error = json.JSONDecodeError("", "", 0)  # of the last object that could not be parsed
        self._open = 0  # arrays that are not closed
        self._is_blank = True  # nothing but blanks was there so far
        self._core: set[str] | None = None  # the keys that all objects so far have
        self._is_deep = False  # the last object that could not be parsed is nested too deep, and has no end

    def feed(self, data: bytes, *, is_end: bool = False) -> Iterator[dict[str, Any] | Gap]:
        """Yield the objects that end in what was fed so far, and where there are none."""
        text = self._decoder.decode(data, is_end)
        if _NO_UTF8.search(text):
            yield Gap(self._line, is_end=False, is_encoding=True)
            text = _NO_UTF8.sub("\ufffd", text)
        self._waiting.append(text)
        self._held += len(text)
        if self._held < self._wanted and not is_end:
            return
        self._text = "".join([self._text[self._at :], *self._waiting])
        self._at, self._wanted, self._held, self._waiting = 0, 0, 0, []
        while True:
            self._skip_between()
            if self._at == len(self._text):
                if is_end and (self._open or (self._core is None and not self._is_blank)):
                    yield Gap(self._line, is_end=True)
                return
            found = self._object(self._at, is_end=is_end)
            if found is None:  # more of it may come
                self._wanted = len(self._text) - self._at  # twice as much as there is
                return
            if isinstance(found, int):
                is_end_of_all = found == len(self._text) and is_end
                yield Gap(self._line, is_end=is_end_of_all)
                self._go_to(found)
                if is_end_of_all:
                    return
            else:
                parsed, end = found
                self._core = set(parsed) if self._core is None else self._core & parsed.keys()
                yield parsed
                self._go_to(end)

    def _skip_between(self) -> None:
        between = _BETWEEN.match(self._text, self._at)
        found = between[0] if between else ""
        self._open += found.count("[") - found.count("]")
        self._is_blank = self._is_blank and not found.strip()
        self._go_to(self._at + len(found))

    def _go_to(self, place: int) -> None:
        self._line += self._text.count("\n", self._at, place)
        self._at = place

    def _object(self, start: int, *, is_end: bool) -> tuple[dict[str, Any], int] | int | None:
        """The object that starts here, and its end; else the place of the next one; None if more has to be seen."""
        found = self._parsed(start)
        if found is None and not is_end and len(self._text) - start < _LONGEST_OBJECT and self._is_cut(start):
            return None
        return found or self._next(start)

    def _parsed(self, start: int) -> tuple[dict[str, Any], int] | None:
        if self._text[start] != "{":
            return None
        self._is_deep = False
        try:
            return _decoder.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            self._error = error
            return None
        except (ValueError, RecursionError):  # digits without end, or nesting
            end = object_end(self._text, start)
            parsed = parse_text(self._text[start:end]) if end >= 0 else None
            self._is_deep = end < 0
            self._error = json.JSONDecodeError("Unterminated string" if end < 0 else "", "", 0)
            return None if parsed is None else (parsed, end)

    def _is_cut(self, start: int) -> bool:
        """Whether the object may go on behind the text so far."""
        if self._text[start] != "{":
            return False
        return self._error.msg.startswith("Unterminated") or self._error.pos >= len(self._text) - _NEAR_END

    def _next(self, start: int) -> int:
        """The place of the next whole row behind a damaged one, or of the end."""
        place, tries = start, 0
        while tries < _MOST_TRIES:
            tries += _TRIES_OF_DEEP if self._is_deep else 1
            place = self._text.find("{", place + 1)
            if place < 0:
                return len(self._text)
            found = self._parsed(place)
            if found is not None and self._is_row(*found):
                return place
        line = self._text.find("\n{", place)
        return len(self._text) if line < 0 else line + 1

    def _is_row(self, parsed: dict[str, Any], end: int) -> bool:
        return (
            bool(parsed) and _BEHIND_ROW.match(self._text, end) is not None and (self._core or set()) <= parsed.keys()
        )
