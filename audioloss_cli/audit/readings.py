"""What is in the logs of each source: from a cache, from readers file by file, or many small files together."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, starmap
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from audioloss_cli import registry
from audioloss_cli.audit.discover import Source, unreadable
from audioloss_cli.audit.wanted import wanted
from audioloss_cli.config import ScanConfig
from audioloss_cli.records import Defect, Mark, Reader, Request, Series

if TYPE_CHECKING:
    from audioloss_cli.records.reader import ReaderOfMany

Items = Iterator[Series | Defect | Mark]

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def readings(
    sources: Sequence[Source], config: ScanConfig, *, arrays: bool
) -> Iterator[tuple[Source, Iterator[Series | Defect]]]:
    """Each source with everything in its files, which is to be gone through before the next source is asked for.

    Args:
        sources: what to read; neighbours of one format are read together where the reader can.
        config: what is wanted of them.
        arrays: importing numpy is worth it, however small each file is.
    """
    for name, neighbours in groupby(sources, attrgetter("reader")):
        reader, together = cast("Reader", registry.load("readers", name)), list(neighbours)
        files = _files(reader, together, config, arrays=arrays)
        for source in together:
            yield source, chain.from_iterable(_checked(path, files) for path in source.paths)


def _files(reader: Reader, sources: Sequence[Source], config: ScanConfig, *, arrays: bool) -> Iterator[Items]:
    """Everything in each file. To ask for the next one may raise OSError; the one after it comes all the same."""
    if config.cache:
        kept = (_kept(config.cache, reader, source, config, arrays=arrays) for source in sources)
        return chain.from_iterable(kept)
    asked = chain.from_iterable(_asked(source, config, arrays=arrays) for source in sources)
    if hasattr(reader, "read_many"):
        return cast("ReaderOfMany", reader).read_many(asked)
    return starmap(reader.read, asked)


def _asked(source: Source, config: ScanConfig, *, arrays: bool) -> Iterator[tuple[Path, Request]]:
    """Each file, and what of it is asked for."""
    request = Request(wanted(Path(source.run).name, config), config.checksum, arrays=arrays)
    return ((path, request) for path in source.paths)


def _kept(directory: str, reader: Reader, source: Source, config: ScanConfig, *, arrays: bool) -> Iterator[Items]:
    """Everything in each file, as much of it as possible from where readings are kept."""
    from audioloss_cli.audit.cache import Cache  # noqa: PLC0415  # 10 ms that no other scan needs

    # Apart, where other points of them are wanted.
    cache = Cache(directory, (source.reader, config.checksum, Path(source.run).name, config.tags))
    return (cache.read(reader, path, request) for path, request in _asked(source, config, arrays=arrays))


def _checked(path: Path, files: Iterator[Items]) -> Iterator[Series | Defect]:
    """Everything in the next file, or one Defect that says why there is nothing."""
    defects: list[Defect] = []
    empty = True
    try:
        for item in next(files):
            if isinstance(item, Defect):
                defects.append(item)
            elif isinstance(item, Series):
                empty = False
                yield item
    except OSError as error:
        defects.append(unreadable(path, error))
    if empty and defects and _is_lfs_pointer(path):
        message = "a Git LFS pointer, not the log itself; fetch the log with: git lfs pull"
        defects = [Defect(str(path), "not-a-log", message, offset=0)]
    yield from defects


def _is_lfs_pointer(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe has been read to its end: to open it again is to wait for ever
            return False
        with path.open("rb") as stream:
            return stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False
