"""Zip archives as strangers make them: compressed, overlapping, with lying sizes; and what lies in them."""

import functools
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

_LOCAL, _CENTRAL, _END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
_BOMB = 300 << 20  # bytes that come of 300 kB


def contents(data: bytes) -> dict[str, bytes]:
    """Of an honest archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def stored(entries: Mapping[str, bytes]) -> bytes:
    """An honest archive, uncompressed, with right checksums."""
    return archive([_entry(name, data) for name, data in entries.items()])


def strange(entries: Mapping[str, bytes], source: random.Random) -> tuple[bytes, str]:
    """An archive of the same entries that no honest program writes, and what is strange in it."""
    made = [_entry(name, data) for name, data in entries.items()]
    at = made[source.randrange(len(made))]
    kind = source.choice(("bomb", "deflated", "twice", "lying", "overlap", "root", "method", "encrypted", "quine"))
    if kind == "bomb":
        at.update(data=_bomb(), size=_BOMB, method=8, crc=_bomb_checksum())
    elif kind == "deflated":
        for entry in made:
            packer = zlib.compressobj(wbits=-15)
            entry.update(data=packer.compress(entry["data"]) + packer.flush(), method=8)
    elif kind == "twice":
        made.append({**at, "data": source.randbytes(9), "name": source.choice((at["name"], at["name"].upper()))})
    elif kind == "lying":
        field = source.choice(("size", "packed", "crc", "offset"))
        at[field] = source.choice((0, 1, at["size"] + 1, 1 << 20, (1 << 32) - 2))
    elif kind == "overlap":
        at["offset"] = 0
    elif kind == "root":
        at["name"] = source.choice(("", "/", "../../x", "x\x00y", "a" * 60_000, at["name"] + "/", "\u20ac/data.pkl"))
    elif kind == "method":
        at["method"] = source.choice((1, 9, 12, 14, 93, 99))
    elif kind == "encrypted":
        at["flags"] = 1
    else:
        made = [{**at, "offset": 0, "name": f"{at['name']}{number}"} for number in range(2000)] + made
    return archive(made), kind


def archive(entries: list[dict[str, Any]]) -> bytes:
    """The bytes of an archive, whatever its entries say."""
    body, places = b"", []
    for entry in entries:
        places.append(len(body) if entry["offset"] is None else entry["offset"])
        name = entry["name"].encode()
        packed = len(entry["data"]) if entry["packed"] is None else entry["packed"]
        shared = (20, entry["flags"], entry["method"], 0, 0, entry["crc"], packed, entry["size"], len(name))
        entry["head"] = (name, shared)
        if entry["offset"] is None:
            body += struct.pack(_LOCAL, b"PK\x03\x04", *shared, 0) + name + entry["data"]
    directory = b""
    for entry, place in zip(entries, places, strict=True):
        name, shared = entry["head"]
        directory += struct.pack(_CENTRAL, b"PK\x01\x02", 20, *shared, 0, 0, 0, 0, 0, place) + name
    count = len(entries) & 0xFFFF
    return body + directory + struct.pack(_END, b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)


def odd_array(source: random.Random, canary: bytes) -> tuple[bytes, str]:
    """A .npy member whose header lies, or that holds something else than numbers."""
    shape = tuple(
        source.choice((0, 1, 7, 10**6, 10**9, 1 << 40, 1 << 63, -1)) for _ in range(source.choice((0, 1, 2, 3, 70)))
    )
    kind = source.choice(
        ("<i8", "|i1", "<U0", "|S0", "<U1", "|V0", "<U250000000", "|O", ">f8", "<c16", "<M8[s]", "<f2", "|b1")
    )
    header = source.choice((
        repr({"descr": kind, "fortran_order": False, "shape": shape}),
        repr({"descr": kind, "fortran_order": True, "shape": (2, 3)}),
        repr({"descr": [("a", kind), ("b", "<i8")], "fortran_order": False, "shape": (2,)}),
        repr({"descr": kind, "shape": shape}),
        "{" * 5000,
        "(" * 9000 + ")" * 9000,
        "9**9**9",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (" + "9" * 4000 + ",)}",
    ))  # fmt: skip
    data = header.encode()
    version, size = source.choice(((b"\x01\x00", "<H"), (b"\x02\x00", "<I"), (b"\x03\x00", "<I"), (b"\x09\x00", "<H")))
    length = len(data) if source.random() < 0.9 else source.choice((0, 65535))
    body = canary if kind == "|O" else source.randbytes(source.choice((0, 8, 48)))
    return b"\x93NUMPY" + version + struct.pack(size, length) + data + body, "odd array"


def array(values: np.ndarray) -> bytes:
    """An honest .npy member."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def warm_up() -> None:
    """Make the bomb, which takes two seconds."""
    _bomb()
    _bomb_checksum()


def _entry(name: str, data: bytes) -> dict[str, Any]:
    return {
        "name": name, "data": data, "size": len(data), "crc": zlib.crc32(data),
        "method": 0, "flags": 0, "packed": None, "offset": None,
    }  # fmt: skip


@functools.cache
def _bomb() -> bytes:
    packer, block = zlib.compressobj(9, wbits=-15), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(_BOMB >> 20)) + packer.flush()


@functools.cache
def _bomb_checksum() -> int:
    checksum, block = 0, bytes(1 << 20)
    for _ in range(_BOMB >> 20):
        checksum = zlib.crc32(block, checksum)
    return checksum
