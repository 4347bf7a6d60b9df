"""The files below a directory, each once, and what the system says of them."""

import errno
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal

from audioloss_cli.model import Defect

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}  # where a broken link leads


def unreadable(path: Path, error: OSError) -> Defect:
    """The system refused to open or read it."""
    return Defect(str(path), "unreadable", f"{error.strerror or error}; check that it exists and that you may read it")


def is_ordinary(path: str) -> bool:
    """Tell whether a path leads to a file or a directory, rather than to a pipe or a device."""
    mode = os.stat(path).st_mode  # noqa: PTH116
    return S_ISREG(mode) or S_ISDIR(mode)


def excluded(path: str, globs: Sequence[str]) -> bool:
    """Whether a glob fits a path, or the name of the file or directory at its end."""
    name = path.rsplit("/", 1)[-1]
    return any(fnmatch(path, glob) or fnmatch(name, glob) or fnmatch(path, f"*/{glob}") for glob in globs)


def walk(root: str, defects: list[Defect], exclude: Sequence[str], lost: list[str]) -> Iterator[str]:
    """Files in a stable order, each directory once, and what symbolic links lead to only after everything else.

    That way a run keeps its real name though ``latest`` points to it, and a loop of links ends. Hidden files and
    directories are skipped (a copy under way, a desktop's metadata); links that lead nowhere are added to ``lost``.
    """
    visited: set[tuple[int, int]] = set()
    pending, links = [root], list[str]()
    while pending or links:
        path = pending.pop() if pending else links.pop(0)
        stat = stat_of(path, defects)
        if stat is None:
            continue
        if not S_ISDIR(stat.st_mode):
            yield path
            continue
        if (stat.st_dev, stat.st_ino) in visited:
            continue
        visited.add((stat.st_dev, stat.st_ino))
        entries = [(_inside(path, entry), _kind(entry, defects)) for entry in _entries(path, defects)]
        entries = [each for each in entries if not exclude or not excluded(each[0], exclude)]
        links.extend(inner for inner, kind in entries if kind == "link")
        lost.extend(inner for inner, kind in entries if kind == "lost")
        yield from (inner for inner, kind in entries if kind == "file")
        pending.extend(inner for inner, kind in reversed(entries) if kind == "directory")


def _inside(directory: str, entry: os.DirEntry[str]) -> str:
    """As ``Path`` writes it."""
    return entry.name if directory == "." else entry.path


def _entries(directory: str, defects: list[Defect]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            seen = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        defects.append(unreadable(Path(directory), error))
        return []
    return sorted(seen, key=lambda entry: entry.name)


def stat_of(path: str, defects: list[Defect]) -> os.stat_result | None:
    """Return what the system says of a path; None, and a defect, if it refuses."""
    try:
        return os.stat(path)  # noqa: PTH116  # a Path for each file of ten thousand directories is slow
    except OSError as error:
        defects.append(unreadable(Path(path), error))
        return None


def _kind(entry: os.DirEntry[str], defects: list[Defect]) -> Literal["link", "lost", "file", "directory", "other"]:
    """A link that leads nowhere is lost; a pipe is something other."""
    try:
        if entry.is_symlink():
            mode = Path(entry.path).stat().st_mode
            return "link" if S_ISREG(mode) or S_ISDIR(mode) else "other"
        return "file" if entry.is_file() else "directory" if entry.is_dir() else "other"
    except OSError as error:
        if error.errno in _NOWHERE:
            return "lost"
        defects.append(unreadable(Path(entry.path), error))
        return "other"
