"""Which files under the given paths are logs, of which format, and of which run each is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, cast

from audioloss_cli.model import Defect
from audioloss_cli.model.report import LeftOut, Unread
from audioloss_cli.readers import Reader
from audioloss_cli.runs.walk import excluded, is_ordinary, stat_of, unreadable, walk
from audioloss_cli.storage.log_file import LogFile
from audioloss_cli.storage.spool import STANDARD_INPUT, PipedFile

if TYPE_CHECKING:
    from audioloss_cli.readers import RowReader
    from audioloss_cli.storage.archives import Room

_DEEPEST_ARCHIVE = 3
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
        pipes: standard input and pipes, by root; what of them is kept can be read again as long as they are there.
    """

    sources: list[Source] = field(default_factory=list)
    reached: dict[str, dict[int, Source]] = field(default_factory=dict)
    unclaimed: dict[str, str] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    pipes: dict[str, PipedFile] = field(default_factory=dict)

    def close(self) -> None:
        """Remove the temporary files but those of pipes; call it when nothing is read any more."""
        for each in self.held:
            each.close()


def discover(
    roots: Iterable[str],
    readers: Mapping[str, Reader],
    *,
    forced: bool = False,
    exclude: Sequence[str] = (),
    pipes: Mapping[str, PipedFile] | None = None,
) -> Discovery:
    """Walk every root once; each file belongs to the first root that leads to it and the first reader that claims it.

    Args:
        roots: files and directories that exist, and ``-`` for standard input.
        readers: candidate readers by name, those that are asked first in front.
        forced: a root that is a file is a log of the only reader, whatever it looks like.
        exclude: globs over paths, and over the names of files and directories; what matches is not looked at.
        pipes: those of an earlier search, which have been read to their end.
    """
    search = _Search(readers, forced=forced, exclude=tuple(exclude), pipes=pipes or {})
    for root in roots:
        search.walk(root)
    found = search.found
    found.sources = sorted(search.sources.values(), key=lambda source: (source.run, source.reader, source.paths))
    for source in found.sources:
        source.paths.sort(key=lambda path: path.name)
    return found


class _Search:
    def __init__(
        self,
        readers: Mapping[str, Reader],
        *,
        forced: bool,
        exclude: Sequence[str],
        pipes: Mapping[str, PipedFile],
    ) -> None:
        self.found = Discovery()
        self._pipes = pipes
        self.sources: dict[tuple[str, ...], Source] = {}
        self._readers = readers
        self._forced = forced
        self._exclude = exclude
        self._owners: dict[tuple[int, int], Source] = {}

    def walk(self, root: str) -> None:
        """Look at everything that a root leads to."""
        reached = self.found.reached.setdefault(root, {})
        if root == STANDARD_INPUT or root in self._pipes or not is_ordinary(root):
            pipe = self._piped(root)
            if pipe is not None:
                self._look(pipe, root, reached, is_root=True)
            return
        start, lost = str(Path(root)), list[str]()
        for place in walk(start, self.found.defects, self._exclude, lost):
            self._look(LogFile(Path(place)), root, reached, is_root=place == start)
        self._name_lost(lost, "a link that leads nowhere", "fetch what it leads to, or leave it out with --exclude")

    def _piped(self, root: str) -> PipedFile | None:
        """The pipe, copied if its name does not tell what it is; None if it cannot be read."""
        pipe = self._pipes.get(root) or PipedFile(root)
        self.found.pipes[root] = pipe
        try:
            is_told = self._forced or pipe.is_named_archive or self._first_claim(pipe) is not None
            if root == STANDARD_INPUT or pipe.is_named_archive or not is_told:
                pipe.spool()
        except OSError as error:
            self.found.defects.append(unreadable(Path(pipe.shown), error))
            return None
        return pipe

    def _not_excluded(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not excluded(name, self._exclude)]

    def _name_lost(self, names: Iterable[str], reason: str, hint: str) -> None:
        """Name what has no content and is named like a log."""
        if names:
            from audioloss_cli.runs.other_files import is_named_like_log  # noqa: PLC0415  # there seldom is any

            lost = [name for name in names if is_named_like_log(LogFile(Path(name)))]
            self.found.unread += [Unread(name, reason, hint) for name in lost]

    def _look(
        self,
        file: LogFile,
        root: str,
        reached: dict[int, Source],
        *,
        is_root: bool,
        room: "Room | None" = None,
        depth: int = 0,
    ) -> None:
        forced = self._forced and is_root
        if not forced and file.is_named_archive and self._look_into(file, root, reached, room, depth):
            return
        name = next(iter(self._readers)) if forced else self._claimant(file, is_root=is_root, root=root)
        if name is None:
            return
        source = self._own(file, name)
        if source is not None:
            reached[id(source)] = source

    def _look_into(self, file: LogFile, root: str, reached: dict[int, Source], room: "Room | None", depth: int) -> bool:
        """Look at the members of an archive; False if it is none, whatever its name says.

        Archives inside of it share its room: a few bytes of one in the other may come to more than any disk holds.
        """
        from audioloss_cli.runs.other_files import looks_like_log_by_name  # noqa: PLC0415  # for archives alone
        from audioloss_cli.storage.archives import Room, is_archive, unpack  # noqa: PLC0415  # 20 ms

        try:
            if not is_archive(file):
                return False
            if depth == _DEEPEST_ARCHIVE:
                hint = "unpack it and scan the directory, or leave it out with --exclude"
                self.found.unread.append(Unread(file.shown, f"an archive inside of {depth} others", hint))
                return True
            room = room or Room()
            unpacked = unpack(file, room)
        except OSError as error:
            self.found.defects.append(unreadable(Path(file.shown), error))
            return True
        self.found.held.append(unpacked)
        self.found.defects += unpacked.defects
        if not depth and not unpacked.members and not unpacked.defects and root in (file.shown, str(file.path)):
            self.found.unclaimed[root] = "an archive without a file that may be a log"
        for name in self._not_excluded(unpacked.others):
            if (told := looks_like_log_by_name(LogFile(Path(name)))) is not None:
                self.found.unread.append(Unread(name, *told))
        empty = self._not_excluded(unpacked.empty)
        self._name_lost(empty, "it has no content in the archive", "put the file in, or leave it out with --exclude")
        for member in unpacked.members:
            if not excluded(member.shown, self._exclude):
                self._look(member, root, reached, is_root=False, room=room, depth=depth + 1)
        return True

    def _claimant(self, file: LogFile, *, is_root: bool, root: str) -> str | None:
        """The reader that takes the file; None if none does, and then it is said what the file is."""
        try:
            name = self._first_claim(file)
            passes = isinstance(file, PipedFile) and not file.is_kept  # nobody has seen anything of it
            if name is not None and (self._readers[name].ORDER < _GENERAL or passes):
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
        stat = stat_of(str(file.path), self.found.defects)
        if stat is None:
            return None
        owner = self._owners.get((stat.st_dev, stat.st_ino))
        if owner is None:
            reader, shown = self._readers[name], Path(file.shown)
            run = shown if isinstance(file, PipedFile) else reader.run_of(shown)
            key = (run.as_posix(), name) if reader.CONTINUES else (run.as_posix(), name, file.shown)
            source = Source(run.as_posix(), name, in_directory=run != shown)
            owner = self._owners[stat.st_dev, stat.st_ino] = self.sources.setdefault(key, source)
            owner.paths.append(file.path)
            owner.bytes += stat.st_size
            owner.bounded &= S_ISREG(stat.st_mode)
            if str(file.path) != file.shown:
                owner.shown[str(file.path)] = file.shown
        return owner
