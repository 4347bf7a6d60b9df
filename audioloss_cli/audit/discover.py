"""Which files under the given paths are logs, and to which run each belongs."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audioloss_cli.records import Defect, Reader


@dataclass(slots=True)
class Source:
    """One run on disk.

    Attributes:
        run: its name, the directory or the file as the user would type it.
        reader: name of the reader.
        paths: its files, in the order in which they are to be read.
        root: the PATH of the command line under which it was found.
        bytes: size of all its files.
    """

    run: str
    reader: str
    root: str
    paths: list[Path] = field(default_factory=list)
    bytes: int = 0


@dataclass(slots=True)
class Discovery:
    """What lies under the paths.

    Attributes:
        sources: the runs, in a stable order.
        defects: files and directories that could not be looked at.
        unclaimed: roots that are files no reader claims.
        covered: roots that hold at least one log, even one that was found under an earlier root.
    """

    sources: list[Source] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    unclaimed: set[str] = field(default_factory=set)
    covered: set[str] = field(default_factory=set)


def discover(roots: Iterable[str], readers: Mapping[str, Reader], *, forced: bool = False) -> Discovery:
    """Walk every root once; each file belongs to the first root that leads to it and the first reader that claims it.

    Args:
        roots: files and directories that exist.
        readers: candidate readers by name.
        forced: a root that is a file is a log of the only reader, whatever it looks like.
    """
    found = Discovery()
    sources: dict[tuple[str, str], Source] = {}
    seen: set[tuple[int, int]] = set()
    for root in roots:
        for path in _walk(Path(root), found.defects):
            is_root = path == Path(root)
            name = next(iter(readers)) if forced and is_root else _claimant(path, readers, found.defects)
            if name is None:
                found.unclaimed |= {root} if is_root else set()
                continue
            found.covered.add(root)
            stat = path.stat()
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                run = (path.parent if readers[name].GROUPING == "directory" else path).as_posix()
                source = sources.setdefault((run, name), Source(run, name, root))
                source.paths.append(path)
                source.bytes += stat.st_size
    found.sources = sorted(sources.values(), key=lambda source: (source.run, source.reader))
    return found


def unreadable(path: Path, error: OSError) -> Defect:
    """The system refused to open or read it."""
    return Defect(str(path), "unreadable", f"{error.strerror or error}; check that it exists and that you may read it")


def _claimant(path: Path, readers: Mapping[str, Reader], defects: list[Defect]) -> str | None:
    try:
        return next((name for name, reader in readers.items() if reader.claims(path)), None)
    except OSError as error:
        defects.append(unreadable(path, error))
        return None


def _walk(root: Path, defects: list[Defect]) -> Iterator[Path]:
    """Files in a stable order, each directory once, and what symbolic links lead to only after everything else.

    That way a run keeps its real name though ``latest`` points to it, and a loop of links ends. Hidden directories and
    links that lead nowhere are skipped.
    """
    visited: set[tuple[int, int]] = set()
    pending, links = [root], list[Path]()
    while pending or links:
        path = pending.pop() if pending else links.pop(0)
        if not path.is_dir():
            yield path
            continue
        stat = path.stat()
        if (stat.st_dev, stat.st_ino) in visited:
            continue
        visited.add((stat.st_dev, stat.st_ino))
        entries = _entries(path, defects)
        links.extend(Path(entry.path) for entry in entries if entry.is_symlink() and _leads_somewhere(entry.path))
        entries = [entry for entry in entries if not entry.is_symlink()]
        yield from (Path(entry.path) for entry in entries if entry.is_file())
        below = [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        pending.extend(reversed(below))


def _leads_somewhere(link: str) -> bool:
    try:
        return Path(link).is_file() or Path(link).is_dir()
    except OSError:
        return False


def _entries(directory: Path, defects: list[Defect]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        defects.append(unreadable(directory, error))
        return []
