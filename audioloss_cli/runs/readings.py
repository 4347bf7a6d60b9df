"""What is in the logs of each source: from a cache, from readers file by file, or many small files together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from audioloss_cli import registry
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Cursor, Defect, Note, ReadOptions, Series
from audioloss_cli.readers import Reader
from audioloss_cli.runs.discover import Source
from audioloss_cli.runs.walk import unreadable
from audioloss_cli.runs.wanted_tags import wanted

if TYPE_CHECKING:
    from audioloss_cli.readers import BatchReader

Items = Iterator[Series | Defect | Cursor | Note]

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def readings(
    sources: Sequence[Source], config: ScanConfig, *, arrays: bool
) -> Iterator[tuple[Source, Iterator[Series | Defect | Note]]]:
    """Each source with everything in its files, which is to be gone through before the next source is asked for.

    Args:
        sources: what to read; files of one format are read together where its reader can.
        config: what is wanted of them.
        arrays: importing numpy is worth it, however small each file is.
    """
    files = {
        name: _files(name, [source for source in sources if source.reader == name], config, arrays=arrays)
        for name in {source.reader for source in sources}
    }
    for source in sources:
        yield source, _of_source(source, files[source.reader])


def _of_source(source: Source, files: Iterator[Items]) -> Iterator[Series | Defect | Note]:
    for path in source.paths:
        shown = source.name_of(path)
        for item in _checked(path, files):
            yield replace(item, path=shown) if isinstance(item, Defect) and item.path != shown else item


def _files(name: str, sources: Sequence[Source], config: ScanConfig, *, arrays: bool) -> Iterator[Items]:
    """Everything in each file of these sources, all of one format."""
    reader = cast("Reader", registry.load("readers", name))
    if config.cache:
        kept = (_kept(config.cache, reader, source, config, arrays=arrays) for source in sources)
        return chain.from_iterable(kept)
    asked = chain.from_iterable(_asked(source, config, arrays=arrays) for source in sources)
    if hasattr(reader, "read_many"):
        return cast("BatchReader", reader).read_many(asked)
    return (_one(reader, path, options) for path, options in asked)


def _one(reader: Reader, path: Path, options: ReadOptions) -> Items:
    """Not opened before its first item is asked for."""
    yield from reader.read(path, options)


def _asked(source: Source, config: ScanConfig, *, arrays: bool) -> Iterator[tuple[Path, ReadOptions]]:
    """Each file, and what of it is asked for."""
    options = ReadOptions(
        wanted(Path(source.run).name, config.patterns),
        config.checksum,
        arrays=arrays,
        line_patterns=config.line_patterns,
    )
    return ((path, options) for path in source.paths)


def _kept(directory: str, reader: Reader, source: Source, config: ScanConfig, *, arrays: bool) -> Iterator[Items]:
    """Everything in each file, as much of it as possible from where readings are kept."""
    from audioloss_cli.storage.cache import Cache  # noqa: PLC0415  # 10 ms that no other scan needs

    # Apart, where other points of them are wanted.
    cache = Cache(directory, (source.reader, config.checksum, Path(source.run).name, config.tags, config.line_patterns))
    return (cache.read(reader.read, path, options) for path, options in _asked(source, config, arrays=arrays))


def _checked(path: Path, files: Iterator[Items]) -> Iterator[Series | Defect | Note]:
    """Everything in the next file, or one Defect that says why there is nothing."""
    items, defects, empty = next(files), list[Defect](), True
    try:
        for item in items:
            if isinstance(item, Defect):
                defects.append(item)
            elif isinstance(item, Series):
                empty = False
                yield item
            elif isinstance(item, Note):
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
