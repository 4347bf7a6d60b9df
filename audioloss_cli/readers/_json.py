"""JSON as loggers write it: objects of any depth, NaN and Infinity, numbers of any length; whole, or cut off."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

_decoder = json.JSONDecoder()
_scan: Callable[[str, int], tuple[Any, int]] = cast("Any", _decoder).scan_once  # ``decode`` without what it looks for
_any_integer = json.JSONDecoder(parse_int=float)  # Python reads no integer of more than 4300 digits as one
# Rows are read 50 levels deep. What lies deeper is left out before it is parsed, as are all but the first items of the
# long lists of a long line: Python's parser would stop at a thousand levels, or take gigabytes.
_DEEPEST, _LONGEST_LIST, _LONG_LINE = 52, 257, 1 << 20
_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


def parse_object(line: bytes) -> dict[str, Any] | None:
    """Return the object that is the whole line, or None. NaN, Infinity and -Infinity count as numbers."""
    try:
        return parse_text(line.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def parse_text(text: str) -> dict[str, Any] | None:
    """Return the object that is the whole text, or None."""
    found = None
    if text.lstrip(" \t\r\n")[:1] == "{":
        if len(text) > _LONG_LINE or text.count("[") + text.count("{") > _DEEPEST:
            text = _trimmed(text)
        try:
            found, end = _scan(text, 0) if text[0] == "{" else (None, 0)
            if end < len(text) and (found is None or text[end:].strip(" \t\r\n")):  # or what is amiss is told
                found = _decoder.decode(text)
        except (json.JSONDecodeError, StopIteration):
            return None
        except ValueError:
            found = _any_integer.decode(text)
        except RecursionError:
            return None
    return found if isinstance(found, dict) else None


def _trimmed(text: str) -> str:
    """Return the text without what lies too deep; if it is long, without most of its long lists."""
    most = _LONGEST_LIST if len(text) > _LONG_LINE else len(text)
    kept, start = list[str](), 0  # where that begins which is kept, or -1 in what is left out
    counts = list[int]()  # of the commas in each list around; -1 for an object
    left_out_at = 0  # how deep the list or the object is that is left out
    for token in _TOKENS.finditer(text):
        char = token[0][0]
        if char == '"':
            continue
        if char in "[{":
            counts.append(0 if char == "[" else -1)
            if len(counts) > _DEEPEST and start >= 0:
                kept.append(text[start : token.end()])
                start, left_out_at = -1, len(counts)
        elif char == ",":
            if counts and counts[-1] >= 0:
                counts[-1] += 1
                if counts[-1] >= most and start >= 0:
                    kept.append(text[start : token.start()])
                    start, left_out_at = -1, len(counts)
        else:
            if start < 0 and len(counts) == left_out_at:
                start = token.start()
            if counts:
                counts.pop()
    return "".join([*kept, text[start:] if start >= 0 else ""])


def object_end(text: str, start: int) -> int:
    """Return where the object ends that starts in a place of a text; -1 if it does not."""
    depth = 0
    for token in _TOKENS.finditer(text, start):
        char = token[0][0]
        depth += (char in "[{") - (char in "]}")
        if not depth and char in "]}":
            return token.end()
    return -1


def completed(text: str) -> str:
    """Return the beginning of a JSON text up to its last comma, with all that is open closed."""
    brackets, cut, open_there = list[str](), 0, ""
    for token in _TOKENS.finditer(text):
        char = token[0][0]
        if char in "[{":
            brackets.append("]" if char == "[" else "}")
        elif char in "]}" and brackets:
            brackets.pop()
        if char in ",]}":
            cut, open_there = token.start() + (char != ","), "".join(reversed(brackets))
    return text[:cut] + open_there


def is_document(lines: Sequence[bytes]) -> bool:
    """Whether the first lines that are not blank are of a JSON text that goes over several: an array or an object."""
    if not lines:
        return False
    first = lines[0].strip()
    if first.startswith(b"["):
        return first == b"[" or first[1:].lstrip()[:1] in (b"{", b"[")
    is_open = first.startswith(b"{") and parse_object(first) is None
    second = lines[1].strip() if len(lines) > 1 else b""
    return is_open and (
        first == b"{" or (first.endswith((b",", b"[", b"{")) and second[:1] in (b'"', b"{", b"]", b"}"))
    )
