"""The opcodes of a pickle and their arguments, read as the unpickler of CPython reads them.

``pickletools`` reads some arguments in another way (text that is not ASCII, numbers with a prefix), and a pickle can
use that to look damaged to whoever only looks at it.
"""

import codecs
import pickletools
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any

_Reader = Callable[[IO[bytes], int], Any]
_LONGEST_NUMBER = 4300  # digits, as Python's own limit: reading them takes quadratic time


def operations(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield names and arguments up to STOP, and leave the stream behind it.

    No argument is read that is longer than what there is. The unpickler in C loses the first part of an argument that
    crosses the end of a frame; no program writes such a one, and ``SPLIT`` goes before its opcode.

    Raises:
        ValueError: an opcode is unknown, an argument is none, or the file ends.
    """
    end, frame = _end_of(stream), 0
    while True:
        code = stream.read(1)
        known = _OPCODES.get(code)
        if known is None:
            raise ValueError(f"{code!r} is no opcode" if code else "it ends before its STOP")
        name, reader = known
        start = stream.tell() if frame else 0
        argument: Any = None if reader is None else reader(stream, end)
        last = stream.tell() + (argument if name == "FRAME" else 0) if frame or name == "FRAME" else 0
        if start < frame < last:
            yield "SPLIT", None
        if name == "FRAME":
            frame = last
        yield name, argument
        if name == "STOP":
            return


def _end_of(stream: IO[bytes]) -> int:
    place = stream.tell()
    stream.seek(0, 2)
    end = stream.tell()
    stream.seek(place)
    return end


def _exactly(stream: IO[bytes], end: int, count: int) -> bytes:
    if not 0 <= count <= end - stream.tell():
        raise ValueError("an argument is longer than the file")
    return stream.read(count)


def _line(stream: IO[bytes]) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise ValueError("a line has no end")
    return line[:-1]


def _fixed(form: str) -> _Reader:
    shape = struct.Struct(form)

    def read(stream: IO[bytes], end: int) -> Any:
        return shape.unpack(_exactly(stream, end, shape.size))[0]

    return read


def _counted(form: str, make: Callable[[bytes], Any]) -> _Reader:
    count = _fixed(form)

    def read(stream: IO[bytes], end: int) -> Any:
        return make(_exactly(stream, end, count(stream, end)))

    return read


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _old_text(data: bytes) -> str:
    """Strings of Python 2, in whatever encoding."""
    return data.decode("latin-1")


def _long(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _int(stream: IO[bytes], _: int) -> int | bool | None:
    line = _line(stream).strip()
    return line == b"01" if line in (b"00", b"01") else _number(line)


def _long_line(stream: IO[bytes], _: int) -> int | None:
    return _number(_line(stream).removesuffix(b"L"))


def _place(stream: IO[bytes], _: int) -> int:
    return int(_line(stream)[:_LONGEST_NUMBER])


def _float(stream: IO[bytes], _: int) -> float | None:
    """Of what C reads as a number, up to a zero byte; None where there is none."""
    try:
        return float(_line(stream).partition(b"\0")[0])
    except ValueError:
        return None


def _number(digits: bytes) -> int | None:
    """None where it is none: whether the unpickler of C takes it depends on its platform, and it may go on."""
    for base in (0, 10) if len(digits) <= _LONGEST_NUMBER else ():
        try:
            return int(digits, base)
        except ValueError:
            continue
    return None


def _string(stream: IO[bytes], _: int) -> str:
    line = _line(stream)
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):  # noqa: PLR2004
        raise ValueError("a string has no quotes")
    inner = line[1:-1]
    if b"\\" not in inner:
        return _old_text(inner)
    with warnings.catch_warnings(action="ignore"):  # of escapes that Python does not know
        return _old_text(codecs.escape_decode(inner)[0])


_READERS: dict[str, _Reader] = {
    "INT": _int,
    "BININT": _fixed("<i"),
    "BININT1": _fixed("<B"),
    "BININT2": _fixed("<H"),
    "LONG": _long_line,
    "LONG1": _counted("<B", _long),
    "LONG4": _counted("<i", _long),
    "FLOAT": _float,
    "BINFLOAT": _fixed(">d"),
    "STRING": _string,
    "BINSTRING": _counted("<i", _old_text),
    "SHORT_BINSTRING": _counted("<B", _old_text),
    "BINBYTES": _counted("<I", bytes),
    "SHORT_BINBYTES": _counted("<B", bytes),
    "BINBYTES8": _counted("<Q", bytes),
    "BYTEARRAY8": _counted("<Q", bytes),
    "UNICODE": lambda stream, _: _line(stream).decode("raw-unicode-escape"),
    "BINUNICODE": _counted("<I", _text),
    "SHORT_BINUNICODE": _counted("<B", _text),
    "BINUNICODE8": _counted("<Q", _text),
    "GET": _place,
    "BINGET": _fixed("<B"),
    "LONG_BINGET": _fixed("<I"),
    "PUT": _place,
    "BINPUT": _fixed("<B"),
    "LONG_BINPUT": _fixed("<I"),
    "EXT1": _fixed("<B"),
    "EXT2": _fixed("<H"),
    "EXT4": _fixed("<i"),
    "GLOBAL": lambda stream, _: (_text(_line(stream)), _text(_line(stream))),
    "INST": lambda stream, _: (_text(_line(stream)), _text(_line(stream))),
    "PERSID": lambda stream, _: _old_text(_line(stream)),
    "PROTO": _fixed("<B"),
    "FRAME": _fixed("<Q"),
}
_OPCODES: dict[bytes, tuple[str, _Reader | None]] = {
    each.code.encode("latin-1"): (each.name, _READERS.get(each.name)) for each in pickletools.opcodes
}
assert all((opcode.arg is None) == (opcode.name not in _READERS) for opcode in pickletools.opcodes)  # noqa: S101
