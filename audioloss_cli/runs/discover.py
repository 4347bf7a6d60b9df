"""Which files under the given paths are logs, of which format, and of which run each is."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any, Literal, cast

from audioloss_cli.model import Defect
from audioloss_cli.model.report import LeftOut, Unread
from audioloss_cli.readers import Reader
from audioloss_cli.storage.log_file import LogFile
from audioloss_cli.storage.spool import STANDARD_INPUT, PipedFile

if TYPE_CHECKING:
    from audioloss_cli.readers import RowReader

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}  # where a broken link leads
_GENERAL = 40  # readers with this ORDER or a higher one take many files by their content


@dataclass(slots=True)
class Source:
    """Files of one format that are read as one log.

    Attributes:
        run: the run that it is of, a directory or a file, as the user would type it.
        reader: name of the reader.
        paths: its files, in the order in which they are to be read.
        bytes: size of all its files.
        in_directory: whether ``run`` is a directory.
        bounded: that is all there is to read; of a pipe nobody knows.
        shown: names of files that lie elsewhere than the user knows, such as members of an archive.
    """

    run: str
    reader: str
    paths: list[Path] = field(default_factory=list)
    bytes: int = 0
    in_directory: bool = False
    bounded: bool = True
    shown: dict[str, str] = field(default_factory=dict)

    def name_of(self, path: Path) -> str:
        """Return the name that the user knows a file by."""
        return self.shown.get(str(path), str(path))

    @property
    def label(self) -> str:
        """Format and file, in words."""
        first = self.name_of(self.paths[0]) if self.paths else self.run
        name = first.replace("\\", "/").rsplit("/", 1)[-1]
        return self.reader if len(self.paths) > 1 or self.in_directory else f"{self.reader} {name}"


@dataclass(slots=True)
class Discovery:
    """What lies under the roots, the paths of the command line.

    Attributes:
        sources: by run.
        reached: for each root the sources that it leads to, even those that an earlier root leads to as well, by id.
        unclaimed: roots that are files no reader claims, and what they are instead, as far as that is known.
        defects: files and directories that could not be looked at.
        unread: files that look like logs and that no reader takes.
        left_out: files that were recognised as something else than logs of a training.
        held: what keeps temporary files alive while the audit lasts.
    """

    sources: list[Source] = field(default_factory=list)
    reached: dict[str, dict[int, Source]] = field(default_factory=dict)
    unclaimed: dict[str, str] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Remove the temporary files; call it when nothing is read any more."""
        for each in self.held:
            each.close()


def discover(
    roots: Iterable[str], readers: Mapping[str, Reader], *, forced: bool = False, exclude: Sequence[str] = ()
) -> Discovery:
    """Walk every root once; each file belongs to the first root that leads to it and the first reader that claims it.

    Args:
        roots: files and directories that exist, and ``-`` for standard input.
        readers: candidate readers by name, those that are asked first in front.
        forced: a root that is a file is a log of the only reader, whatever it looks like.
        exclude: globs over paths, and over the names of files and directories; what matches is not looked at.
    """
    search = _Search(readers, forced=forced, exclude=tuple(exclude))
    for root in roots:
        search.walk(root)
    found = search.found
    found.sources = sorted(search.sources.values(), key=lambda source: (source.run, source.reader, source.paths))
    for source in found.sources:
        source.paths.sort(key=lambda path: path.name)
    return found


def unreadable(path: Path, error: OSError) -> Defect:
    """The system refused to open or read it."""
    return Defect(str(path), "unreadable", f"{error.strerror or error}; check that it exists and that you may read it")


class _Search:
    def __init__(self, readers: Mapping[str, Reader], *, forced: bool, exclude: Sequence[str]) -> None:
        self.found = Discovery()
        self.sources: dict[tuple[str, ...], Source] = {}
        self._readers = readers
        self._forced = forced
        self._exclude = exclude
        self._owners: dict[tuple[int, int], Source] = {}

    def walk(self, root: str) -> None:
        """Look at everything that a root leads to."""
        reached = self.found.reached.setdefault(root, {})
        if root == STANDARD_INPUT or not _is_ordinary(root):
            pipe = PipedFile(root)
            self._look(pipe, root, reached, is_root=True)
            self.found.held.append(pipe)
            return
        start = str(Path(root))
        for place in _walk(start, self.found.defects, self._exclude):
            self._look(LogFile(Path(place)), root, reached, is_root=place == start)

    def _look(self, file: LogFile, root: str, reached: dict[int, Source], *, is_root: bool) -> None:
        forced = self._forced and is_root
        if not forced and file.is_named_archive and self._look_into(file, root, reached, is_root=is_root):
            return
        name = next(iter(self._readers)) if forced else self._claimant(file, is_root=is_root, root=root)
        if name is None:
            return
        source = self._own(file, name)
        if source is not None:
            reached[id(source)] = source

    def _look_into(self, file: LogFile, root: str, reached: dict[int, Source], *, is_root: bool) -> bool:
        """Look at the members of an archive; False if it is none, whatever its name says."""
        from audioloss_cli.storage.archives import is_archive, unpack  # noqa: PLC0415  # 20 ms that few scans need

        if isinstance(file, PipedFile):
            file.spool()
        try:
            if not is_archive(file):
                return False
            unpacked = unpack(file)
        except OSError as error:
            self.found.defects.append(unreadable(Path(file.shown), error))
            return True
        self.found.held.append(unpacked)
        self.found.defects += unpacked.defects
        if is_root and not unpacked.members and not unpacked.defects:
            self.found.unclaimed[root] = "an archive without a file that may be a log"
        for member in unpacked.members:
            if not _excluded(member.shown, self._exclude):
                self._look(member, root, reached, is_root=False)
        return True

    def _claimant(self, file: LogFile, *, is_root: bool, root: str) -> str | None:
        """The reader that takes the file; None if none does, and then it is said what the file is."""
        try:
            name = self._first_claim(file)
            if name is None and isinstance(file, PipedFile):
                file.spool()
                name = self._first_claim(file)
            if name is not None and (self._readers[name].ORDER < _GENERAL or isinstance(file, PipedFile)):
                return name
            from audioloss_cli.runs.other_files import is_no_log, looks_like_log  # noqa: PLC0415  # few files need it

            reason = is_no_log(file) or self._disclaimed(file, name)
            if name is not None and not reason:
                return name
            if is_root:
                self.found.unclaimed[root] = reason
            elif reason:
                self.found.left_out.append(LeftOut(file.shown, reason))
            elif (why := looks_like_log(file)) is not None:
                self.found.unread.append(Unread(file.shown, *why))
        except OSError as error:
            self.found.defects.append(unreadable(Path(file.shown), error))
        return None

    def _disclaimed(self, file: LogFile, claimant: str | None) -> str:
        """What the file is instead of a log, as any reader but its own can tell."""
        others = [reader for name, reader in self._readers.items() if name != claimant]
        found = (cast("RowReader", reader).disclaims(file) for reader in others if hasattr(reader, "disclaims"))
        return next(filter(None, found), "")

    def _first_claim(self, file: LogFile) -> str | None:
        return next((name for name, reader in self._readers.items() if reader.claims(file)), None)

    def _own(self, file: LogFile, name: str) -> Source | None:
        """The source of a log; it gains the file, unless another way has led to the same one."""
        stat = _stat(str(file.path), self.found.defects)
        if stat is None:
            return None
        owner = self._owners.get((stat.st_dev, stat.st_ino))
        if owner is None:
            reader, shown = self._readers[name], Path(file.shown)
            run = reader.run_of(shown)
            key = (run.as_posix(), name) if reader.CONTINUES else (run.as_posix(), name, file.shown)
            source = Source(run.as_posix(), name, in_directory=run != shown)
            owner = self._owners[stat.st_dev, stat.st_ino] = self.sources.setdefault(key, source)
            owner.paths.append(file.path)
            owner.bytes += stat.st_size
            owner.bounded &= S_ISREG(stat.st_mode)
            if str(file.path) != file.shown:
                owner.shown[str(file.path)] = file.shown
        return owner


def _is_ordinary(root: str) -> bool:
    mode = os.stat(root).st_mode  # noqa: PTH116
    return S_ISREG(mode) or S_ISDIR(mode)


def _excluded(path: str, globs: Sequence[str]) -> bool:
    """Whether a glob fits a path, or the name of the file or directory at its end."""
    name = path.rsplit("/", 1)[-1]
    return any(fnmatch(path, glob) or fnmatch(name, glob) or fnmatch(path, f"*/{glob}") for glob in globs)


def _walk(root: str, defects: list[Defect], exclude: Sequence[str]) -> Iterator[str]:
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
        entries = [each for each in entries if not exclude or not _excluded(each[0], exclude)]
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
