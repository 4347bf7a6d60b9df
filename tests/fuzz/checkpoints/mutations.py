"""Damage to bytes and to JSON, of the kinds that disks, copies and strangers do."""

import json
import random
from typing import Any

_SIZES = (0, 1, 7, 255, 1 << 16, (1 << 31) - 1, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
_ENDS = 4096  # most of the structure of a file lies so near to one of its ends


def damaged(data: bytes, source: random.Random, others: list[bytes]) -> tuple[bytes, str]:
    """The bytes after one to three kinds of damage, and their names."""
    made = []
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        kind = source.choice(_KINDS)
        data = kind(bytearray(data), source, others)
        made.append(kind.__name__.strip("_"))
    return data, " ".join(made)


def odd_json(text: bytes, source: random.Random) -> tuple[bytes, str]:
    """A JSON document in which one to three values are others, or which is itself another."""
    if source.random() < 0.1:
        return source.choice(_documents(source)), "another document"
    found = json.loads(text)
    for _ in range(source.choice((1, 1, 2, 3))):
        _change(found, source)
    dumped = json.dumps(found)
    if source.random() < 0.05:
        dumped = dumped.replace("{", "{" + dumped[1 : dumped.find(",") + 1], 1)  # a key twice
    return dumped.encode("utf-8", "surrogatepass"), "odd JSON"


def odd_value(source: random.Random, old: Any = None) -> Any:
    """What a field may be by mistake or by malice."""
    kinds = [
        lambda: source.choice(
            (None, True, False, "", "x", [], {}, [[]], {"a": 1}, [None], "\x1b[31m\x00\u202e", "../..")
        ),
        lambda: source.choice((0, 1, -1, 2, 3, 5, 8, 64, 1024, 65537)),
        lambda: source.choice((1 << 20, 1 << 31, 10**7, 10**9, 1 << 40, 1 << 63, 10**25, -(1 << 63))),
        lambda: source.choice((0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan"), 3.0)),
        lambda: "a" * source.choice((10, 1000, 100_000)),
        lambda: [source.choice((0, 1, 10**9))] * source.choice((1, 5, 10_000)),
        lambda: _nested(source.choice((10, 500))),
        lambda: "float8_e4m3fn" if isinstance(old, str) else [old],
        lambda: old * source.choice((0, 2, 1000)) if isinstance(old, (int, str, list)) else {"x": old},
    ]
    return source.choice(kinds)()


def _change(found: Any, source: random.Random) -> None:
    """Change, drop or add one entry, somewhere in it."""
    while True:
        if not isinstance(found, (dict, list)) or not found:
            return
        key: Any = source.choice(list(found)) if isinstance(found, dict) else source.randrange(len(found))
        inner = found[key]
        if isinstance(inner, (dict, list)) and inner and source.random() < 0.7:
            found = inner
            continue
        what = source.random()
        if what < 0.1:
            del found[key]
        elif what < 0.15 and isinstance(found, dict):
            found[str(odd_value(source))[:1000]] = inner
        else:
            found[key] = odd_value(source, inner)
        return


def _nested(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


def _documents(source: random.Random) -> list[bytes]:
    depth = source.choice((100, 5000, 200_000))
    return [
        b"",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b'"x"',
        b"\xff\xfe{\x00}\x00",
        b"[" * depth,
        b'{"a":' * depth + b"1" + b"}" * depth,
        b"9" * depth,
        b'{"weight_map": ' + b"[" * 500 + b"]" * 500 + b"}",
    ]


def _place(data: bytearray, source: random.Random) -> int:
    size = len(data)
    if source.random() < 0.8:
        near = source.randrange(min(size, _ENDS))
        return near if source.random() < 0.5 else size - 1 - near
    return source.randrange(size)


def _flip(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    for _ in range(source.choice((1, 1, 2, 8))) if data else ():
        data[_place(data, source)] ^= 1 << source.randrange(8)
    return bytes(data)


def _cut(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    return bytes(data[: _place(data, source)]) if data else b""


def _remove(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    if data:
        start = _place(data, source)
        del data[start : start + source.choice((1, 8, 100, 4096))]
    return bytes(data)


def _insert(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    if data:
        start = _place(data, source)
        data[start:start] = source.randbytes(source.choice((1, 8, 100)))
    return bytes(data)


def _zero(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    if data:
        start, count = _place(data, source), source.choice((1, 16, 512, 4096))
        data[start : start + count] = bytes(len(data[start : start + count]))
    return bytes(data)


def _lie(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    """A number in place of what is there, as sizes and offsets are written."""
    if data:
        start, width = _place(data, source), source.choice((1, 2, 4, 8))
        number = source.choice((*_SIZES, len(data), source.randrange(1 << 20))) & ((1 << 8 * width) - 1)
        data[start : start + width] = number.to_bytes(width, source.choice(("little", "little", "big")))
    return bytes(data)


def _splice(data: bytearray, source: random.Random, others: list[bytes]) -> bytes:
    other = source.choice(others)
    return bytes(data[: _place(data, source)] + other[source.randrange(len(other)) :]) if data else other


def _repeat(data: bytearray, source: random.Random, _others: list[bytes]) -> bytes:
    if data:
        start = _place(data, source)
        piece = data[start : start + source.choice((1, 4, 30, 300))]
        data[start:start] = piece * source.choice((1, 2, 50))
    return bytes(data)


_KINDS = (_flip, _flip, _cut, _remove, _insert, _zero, _lie, _lie, _splice, _repeat)
