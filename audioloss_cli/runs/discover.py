"""Which files under the given paths are logs, and to which run each belongs."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal

from audioloss_cli.model import Defect
from audioloss_cli.readers import Reader
from audioloss_cli.storage.log_file import LogFile

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}  # where a broken link leads


@dataclass(slots=True)
class Source:
    """One run on disk.

    Attributes:
        run: its name, the directory or the file as the user would type it.
        reader: name of the reader.
        paths: its files, in the order in which they are to be read.
        bytes: size of all its files.
        bounded: that is all there is to read; of a pipe nobody knows.
    """

    run: str
    reader: str
    paths: list[Path] = field(default_factory=list)
    bytes: int = 0
    bounded: bool = True


@dataclass(slots=True)
class Discovery:
    """What lies under the roots, the paths of the command line.

    Attributes:
        sources: the runs, by name.
        reached: for each root the sources that it leads to, even those that an earlier root leads to as well; by run
            and reader.
        unclaimed: roots that are files no reader claims.
        defects: files and directories that could not be looked at.
    """

    sources: list[Source] = field(default_factory=list)
    reached: dict[str, dict[tuple[str, str], Source]] = field(default_factory=dict)
    unclaimed: set[str] = field(default_factory=set)
    defects: list[Defect] = field(default_factory=list)


def discover(roots: Iterable[str], readers: Mapping[str, Reader], *, forced: bool = False) -> Discovery:
    """Walk every root once; each file belongs to the first root that leads to it and the first reader that claims it.

    Args:
        roots: files and directories that exist.
        readers: candidate readers by name.
        forced: a root that is a file is a log of the only reader, whatever it looks like.
    """
    found = Discovery()
    sources: dict[tuple[str, str], Source] = {}
    owners: dict[tuple[int, int], Source] = {}
    for root in roots:
        reached = found.reached.setdefault(root, {})
        start = str(Path(root))
        for place in _walk(start, found.defects):
            path = Path(place)
            name = next(iter(readers)) if forced and place == start else _claimant(path, readers, found.defects)
            if name is None:
                if place == start:
                    found.unclaimed.add(root)
                continue
            source = _own(path, name, readers[name], sources, owners, found.defects)
            if source is not None:
                reached[source.run, source.reader] = source
    found.sources = sorted(sources.values(), key=lambda source: (source.run, source.reader))
    for source in found.sources:
        source.paths.sort(key=lambda path: path.name)
    return found


def unreadable(path: Path, error: OSError) -> Defect:
    """The system refused to open or read it."""
    return Defect(str(path), "unreadable", f"{error.strerror or error}; check that it exists and that you may read it")


def _own(
    path: Path,
    name: str,
    reader: Reader,
    sources: dict[tuple[str, str], Source],
    owners: dict[tuple[int, int], Source],
    defects: list[Defect],
) -> Source | None:
    """The source of a log; it gains the file, unless another way has led to the same one."""
    stat = _stat(str(path), defects)
    if stat is None:
        return None
    owner = owners.get((stat.st_dev, stat.st_ino))
    if owner is None:
        run = reader.run_of(path).as_posix()
        owner = owners[stat.st_dev, stat.st_ino] = sources.setdefault((run, name), Source(run, name))
        owner.paths.append(path)
        owner.bytes += stat.st_size
        owner.bounded &= S_ISREG(stat.st_mode)
    return owner


def _claimant(path: Path, readers: Mapping[str, Reader], defects: list[Defect]) -> str | None:
    file = LogFile(path)
    try:
        return next((name for name, reader in readers.items() if reader.claims(file)), None)
    except OSError as error:
        defects.append(unreadable(path, error))
        return None


def _walk(root: str, defects: list[Defect]) -> Iterator[str]:
    """Files in a stable order, each directory once, and what symbolic links lead to only after everything else.

    That way a run keeps its real name though ``latest`` points to it, and a loop of links ends. Hidden files and
    directories are skipped (a copy under way, a desktop's metadata), and links that lead nowhere.
    """
    visited: set[tuple[int, int]] = set()
    pending, links = [root], list[str]()
    while pending or links:
        path = pending.pop() if pending else links.pop(0)
        stat = _stat(path, defects)
        if stat is None:
            continue
        if not S_ISDIR(stat.st_mode):
            yield path
            continue
        if (stat.st_dev, stat.st_ino) in visited:
            continue
        visited.add((stat.st_dev, stat.st_ino))
        entries = [(_inside(path, entry), _kind(entry, defects)) for entry in _entries(path, defects)]
        links.extend(inner for inner, kind in entries if kind == "link")
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


def _stat(path: str, defects: list[Defect]) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  # a Path for each file of ten thousand directories is slow
    except OSError as error:
        defects.append(unreadable(Path(path), error))
        return None


def _kind(entry: os.DirEntry[str], defects: list[Defect]) -> Literal["link", "file", "directory", "other"]:
    """A link that leads nowhere is something other, and so is a pipe."""
    try:
        if entry.is_symlink():
            mode = Path(entry.path).stat().st_mode
            return "link" if S_ISREG(mode) or S_ISDIR(mode) else "other"
        return "file" if entry.is_file() else "directory" if entry.is_dir() else "other"
    except OSError as error:
        if error.errno not in _NOWHERE:
            defects.append(unreadable(Path(entry.path), error))
        return "other"
