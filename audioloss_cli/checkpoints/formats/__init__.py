"""Kinds of files that hold tensors, one a module: what is in a file, and what is wrong with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from audioloss_cli import registry
from audioloss_cli.checkpoints.stored import ReadError, StoredFile

FOLDER = "checkpoints.formats"


class Format(Protocol):
    """A module of this folder.

    Attributes:
        SUFFIXES: of its files, in lower case.
    """

    SUFFIXES: tuple[str, ...]

    def claims(self, head: bytes, path: Path) -> bool:
        """Whether a file that begins so is of this kind, whatever it is called; ``head`` is its first 512 bytes."""
        ...

    def read(self, path: Path) -> StoredFile:
        """Read headers, and no values.

        What is damaged is a ``Fault`` beside whatever could be read, never an exception.

        Raises:
            OSError: it cannot be opened or read.
        """
        ...


_HEAD_BYTES = 512


def read_file(path: Path) -> StoredFile:
    """Read a file of tensors, by what it begins with, else by its suffix.

    Raises:
        ReadError: it is of no known kind.
        OSError: it cannot be opened or read.
    """
    if path.exists() and not path.is_file():  # opening a pipe waits for whoever writes to it
        raise ReadError(f"{path} is no regular file, so it was not opened")
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    for each in _formats():
        if each.claims(head, path):
            return each.read(path)
    for each in _formats():
        if path.name.lower().endswith(each.SUFFIXES):
            return each.read(path)
    raise ReadError(f"{path} is no file of tensors that is known; known are {', '.join(registry.names(FOLDER))}")


def suffixes() -> tuple[str, ...]:
    """Of all kinds of files."""
    return tuple(suffix for each in _formats() for suffix in each.SUFFIXES)


def _formats() -> Iterator[Format]:
    yield from (cast("Format", registry.load(FOLDER, name)) for name in registry.names(FOLDER))
