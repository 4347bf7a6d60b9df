"""Damage that any file may have."""

from collections.abc import Sequence
from random import Random


def flip(source: Random, data: bytes) -> bytes:
    at, size = source.randrange(len(data)), source.choice([1, 1, 4, 60])
    part = data[at : at + size]
    return data[:at] + bytes(byte ^ source.randint(1, 255) for byte in part) + data[at + len(part) :]


def delete(source: Random, data: bytes) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + data[at + source.choice([1, 2, 16, 60, 400]) :]


def insert(source: Random, data: bytes, pieces: Sequence[bytes] = ()) -> bytes:
    """Put in noise, zeros, the beginning once more, or one of the pieces."""
    at, size = source.randrange(len(data)), source.choice([1, 2, 16, 60])
    return data[:at] + source.choice([source.randbytes(size), bytes(size), data[:size], *pieces]) + data[at:]


def cut(source: Random, data: bytes) -> bytes:
    return data[: source.randrange(len(data))]


def zeros(source: Random, data: bytes) -> bytes:
    at, size = source.randrange(len(data)), source.choice([16, 200, 4096])
    return data[:at] + bytes(len(data[at : at + size])) + data[at + size :]
