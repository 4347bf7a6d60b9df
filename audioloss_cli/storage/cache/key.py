"""What decides the content of a reading: the log, what was asked for, and the code that reads."""

import json
import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, Self

import audioloss_cli

# Rooms that have a say in what a reading holds.
_ROOMS = ("model", "naming", "storage", "readers", "runs", "audit", "causes")


class Key(NamedTuple):
    """A text in which everything stands that two readings may differ by, and the name of the file for it."""

    text: str

    @classmethod
    def of(cls, path: Path, how: tuple[object, ...]) -> Self:
        """``path`` both as the user named it, since messages do, and in full."""
        return cls(json.dumps([_code(), sys.byteorder, str(path), str(path.absolute()), how]))

    @property
    def file_name(self) -> str:
        """Of the reading."""
        return blake2b(self.text.encode(), digest_size=16).hexdigest() + ".reading"


@cache
def _code() -> list[object]:
    """The version, and the names, sizes and times of the modules: a checkout changes under one version."""
    root = Path(audioloss_cli.__file__).parent
    modules = [file for room in _ROOMS for file in sorted(root.joinpath(room).rglob("*.py"))]
    seen = [(file.relative_to(root).as_posix(), *_size_and_time(file)) for file in modules]
    return [audioloss_cli.__version__, blake2b(repr(seen).encode(), digest_size=16).hexdigest()]


def _size_and_time(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
