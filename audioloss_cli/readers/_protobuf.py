"""The protocol buffers wire format, just enough to walk a message: https://protobuf.dev/programming-guides/encoding."""

import struct
from collections.abc import Iterator

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_MAX_VARINT_BITS = 70


class WireError(ValueError):
    """The bytes are no message of this format."""


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The unsigned number at ``at`` and the index behind it.

    Raises:
        WireError: it runs past ``end`` or over ten bytes.
    """
    number = shift = 0
    while at < end and shift < _MAX_VARINT_BITS:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the continuation bit
            return number & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise WireError("a varint without an end")


def signed(number: int) -> int:
    """The two's complement reading of an unsigned 64-bit number, as int32 and int64 fields are stored."""
    return number - (1 << 64) if number >> 63 else number


def double(data: bytes, at: int) -> float:
    """The little-endian float64 at ``at``."""
    value: float = _DOUBLE.unpack_from(data, at)[0]
    return value


def single(data: bytes, at: int) -> float:
    """The little-endian float32 at ``at``."""
    value: float = _FLOAT.unpack_from(data, at)[0]
    return value


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Walk the fields of the message in ``data[at:end]``.

    Yields:
        ``(number, wire type, start, stop)``: the value lies in ``data[start:stop]``; for a varint ``start`` is its
        value and ``stop`` the index behind it; of a group, which no message here has, its end mark is part of it.

    Raises:
        WireError: a field runs past ``end``, has number 0, or a wire type that this format does not use.
    """
    while at < end:
        key, at = varint(data, at, end)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            start, at = varint(data, at, end)
        elif kind == LENGTH:
            size, start = varint(data, at, end)
            at = start + size
        elif kind in (FIXED64, FIXED32):
            start = at
            at += 8 if kind == FIXED64 else 4
        elif kind == GROUP:
            start = at
            at = _behind_group(data, at, end, number)
        else:
            raise WireError(f"wire type {kind}")
        if at > end or number == 0:
            raise WireError("a field beyond its message" if number else "field number 0")
        yield number, kind, start, at


def _behind_group(data: bytes, at: int, end: int, number: int) -> int:
    """The index behind the end mark of a group whose fields start at ``at``; groups inside of it are stepped over."""
    open_groups = [number]
    while open_groups:
        key, at = varint(data, at, end)
        number, kind = key >> 3, key & 7
        if kind == GROUP:
            open_groups.append(number)
        elif kind == GROUP_END and number == open_groups[-1]:
            open_groups.pop()
        elif kind == VARINT:
            _, at = varint(data, at, end)
        elif kind == LENGTH:
            size, at = varint(data, at, end)
            at += size
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        else:
            raise WireError(f"wire type {kind} in a group")
        if at > end:
            raise WireError("a group beyond its message")
    return at
