"""Kinds of checkpoints, one a module: which files make one, and what each of them is for."""

from pathlib import Path
from typing import Protocol, cast

from audioloss_cli import registry
from audioloss_cli.checkpoints.stored import Checkpoint, ReadError

FOLDER = "checkpoints.layouts"


class Kind(Protocol):
    """A module of this folder.

    Attributes:
        ORDER: kinds with lower numbers are asked first.
    """

    ORDER: int

    def claims(self, path: Path, names: frozenset[str]) -> bool:
        """Whether a path is a checkpoint of this kind.

        Args:
            path: a file or a directory.
            names: of the files and directories in it; empty for a file.
        """
        ...

    def read(self, path: Path) -> Checkpoint:
        """Open it: read the headers of its files, and no values.

        Raises:
            ReadError: nothing of it can be read.
            OSError: a file cannot be opened.
        """
        ...


def kind_of(path: Path) -> "Kind | None":
    """Return the kind of checkpoint that a file or a directory is, by names alone; None if it is none.

    Raises:
        OSError: a directory cannot be listed.
    """
    names = frozenset(each.name for each in path.iterdir()) if path.is_dir() else frozenset[str]()
    kinds = (cast("Kind", registry.load(FOLDER, name)) for name in registry.names(FOLDER))
    return next((each for each in sorted(kinds, key=lambda each: each.ORDER) if each.claims(path, names)), None)


def open_checkpoint(path: Path) -> Checkpoint:
    """Open one checkpoint of any kind.

    Raises:
        ReadError: it is none, or nothing of it can be read.
        OSError: a file cannot be opened.
    """
    kind = kind_of(path)
    if kind is None:
        raise ReadError(f"{path} is no checkpoint that is known; known are {', '.join(registry.names(FOLDER))}")
    return kind.read(path)
