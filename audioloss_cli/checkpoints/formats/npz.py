"""Archives of numpy.savez: a zip file with an array (.npy) an entry, whose headers are parsed and never evaluated.

Layout: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html; arrays of objects are pickles, which are
not looked into.
"""

import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from audioloss_cli.checkpoints.stored import ITEMSIZES, Fault, StoredFile, StoredTensor
from audioloss_cli.checkpoints.words import clipped, counted, listed
from audioloss_cli.model import Severity

SUFFIXES = (".npz",)

DAMAGED, TWICE = "damaged-file", "duplicate-tensor"
_LOCAL = struct.Struct("<4s22x2H")  # of an entry: its signature, the lengths of its name and of what follows that
_ENCRYPTED = 1
_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000  # that numpy reads without being asked to
_MOST_AXES, _MOST = 64, 1 << 60
_HEADER = re.compile(
    rb"\{(?=.*'descr': *(?P<descr>'[^']{1,40}'|\[))(?=.*'fortran_order': *(?P<fortran>True|False))"
    rb"(?=.*'shape': *\((?P<shape>[0-9, L]{0,2000})\)).*\} *\n?",
    re.DOTALL,
)
_DTYPES = {
    "<f2": "F16",
    "<f4": "F32",
    "<f8": "F64",
    "<c8": "C64",
    "<c16": "C128",
    "|b1": "BOOL",
    "|i1": "I8",
    "<i2": "I16",
    "<i4": "I32",
    "<i8": "I64",
    "|u1": "U8",
    "<u2": "U16",
    "<u4": "U32",
    "<u8": "U64",
}
_OBJECTS = "|O"


class _Array(NamedTuple):
    """What the header of an array says; ``start`` is the first byte behind it, from the beginning of the entry."""

    descr: str
    shape: tuple[int, ...]
    is_column_major: bool
    start: int


def claims(head: bytes, path: Path) -> bool:
    """Tell by the suffix: what begins as a zip file may be one of torch's."""
    return head.startswith(b"PK") and path.name.lower().endswith(SUFFIXES)


def read(path: Path) -> StoredFile:
    """Read the table of contents and the header of each array."""
    stored = StoredFile(path, "npz")
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            problem = _problem_of_places(archive)
            if problem:
                stored.faults.append(_damaged(f"{path}: {problem}"))
            else:
                _take_arrays(stored, archive, stream)
    except (zipfile.BadZipFile, struct.error, RuntimeError, EOFError, ValueError, OverflowError) as error:
        size = path.stat().st_size
        told = clipped(" ".join(str(error).split()))
        what = "is empty: the save did not finish" if not size else f"is damaged or cut short ({told})"
        stored.faults.append(_damaged(f"{path} {what}", bytes=size))
    return stored


def _problem_of_places(archive: zipfile.ZipFile) -> str:
    """Entries that overlap make a small file large."""
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in entries[1:]] + [archive.start_dir]
    for entry, end in zip(entries, ends, strict=False):
        if entry.header_offset + _LOCAL.size + entry.compress_size > end:
            return f"{clipped(entry.filename)} reaches into what follows it"
    return ""


def _take_arrays(stored: StoredFile, archive: zipfile.ZipFile, stream: IO[bytes]) -> None:
    """Add each array, and a fault for those that are none."""
    odd, objects, twice = list[str](), list[str](), set[str]()
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        try:
            array = _array_of(archive, entry)
            problem = _problem_of_array(array, entry)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as error:
            problem = " ".join(str(error).split()) or "it is cut short"
        if problem:
            odd.append(f"{clipped(name)} ({clipped(problem)})")
        elif array.descr == _OBJECTS:
            objects.append(name)
        else:
            if name in stored.tensors:
                twice.add(name)
            stored.tensors[name] = _tensor(stored.path, name, array, entry, stream)
    stored.faults += _faults(stored.path, odd, objects, sorted(twice))


def _faults(path: Path, odd: list[str], objects: list[str], twice: list[str]) -> Iterator[Fault]:
    if odd:
        yield _damaged(f"{path}: {len(odd):,} of its entries cannot be read: {listed(odd)}", entries=len(odd))
    if twice:
        text = f"{path}: {counted(len(twice), 'array')} of one name with another: {listed(twice)}"
        yield Fault(TWICE, Severity.CRITICAL, text, {"names": twice[:100]})
    if objects:
        text = (
            f"{path}: {counted(len(objects), 'array')} of Python objects, which are pickles and were not looked into: "
            f"{listed(objects)}; save numbers alone"
        )
        yield Fault(DAMAGED, Severity.WARNING, text, {"arrays": objects[:100]})


def _array_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> _Array:
    """Read the header of an array.

    Raises:
        ValueError: it is none of numpy's.
        zipfile.BadZipFile, zlib.error, RuntimeError, EOFError: the entry is damaged, or encrypted.
    """
    if entry.flag_bits & _ENCRYPTED:
        raise ValueError("it is encrypted")
    with archive.open(entry) as inside:
        start = inside.read(len(_MAGIC) + 2)
        if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + 2:
            raise ValueError("it is no array of numpy")
        digits = 2 if start[len(_MAGIC)] == 1 else 4
        length = int.from_bytes(inside.read(digits), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(f"its header claims {length:,} bytes")
        found = _HEADER.fullmatch(inside.read(length))
    if found is None:
        raise ValueError("its header is none of numpy's")
    shape = tuple(int(axis) for axis in found["shape"].decode().replace("L", "").replace(" ", "").split(",") if axis)
    descr = found["descr"].decode("latin-1").strip("'")
    return _Array(descr, shape, found["fortran"] == b"True", len(start) + digits + length)


def _problem_of_array(array: _Array, entry: zipfile.ZipInfo) -> str:
    if len(array.shape) > _MOST_AXES or max([math.prod(array.shape), *array.shape]) > _MOST:
        return f"its shape is {array.shape!s:.60}"
    itemsize = ITEMSIZES.get(_DTYPES.get(array.descr, ""))
    nbytes = entry.file_size - array.start
    if itemsize is not None and math.prod(array.shape) * itemsize != nbytes:
        return f"it has {nbytes:,} bytes, and its shape {array.shape!s:.60} of {array.descr} needs others"
    return ""


def _tensor(path: Path, name: str, array: _Array, entry: zipfile.ZipInfo, stream: IO[bytes]) -> StoredTensor:
    """Say where the values of an array lie."""
    strides = None
    if array.is_column_major and len(array.shape) > 1:
        strides = tuple(math.prod(array.shape[:axis]) for axis in range(len(array.shape)))
    dtype = _DTYPES.get(array.descr, array.descr)
    if entry.compress_type != zipfile.ZIP_STORED:
        return StoredTensor(name, dtype, array.shape, path, array.start, strides, entry.filename)
    stream.seek(entry.header_offset)
    _, name_length, extra_length = _LOCAL.unpack(stream.read(_LOCAL.size))
    offset = entry.header_offset + _LOCAL.size + name_length + extra_length + array.start
    return StoredTensor(name, dtype, array.shape, path, offset, strides)


def _damaged(text: str, **numbers: int) -> Fault:
    return Fault(DAMAGED, Severity.CRITICAL, text, numbers)
