"""A directory of readings."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from audioloss_cli.model import Cursor, Defect, Note, ReadOptions, Series
from audioloss_cli.model.reader import MarkError
from audioloss_cli.storage.cache.draft import Draft, forget_drafts
from audioloss_cli.storage.cache.fingerprint import Fingerprint
from audioloss_cli.storage.cache.key import Key
from audioloss_cli.storage.cache.reading import Reading

Item = Series | Defect | Cursor | Note
Read = Callable[[Path, ReadOptions], Iterator[Item]]  # as a reader does it


class CacheError(Exception):
    """The directory cannot be written to."""


def prepare(directory: str) -> None:
    """Make the directory, if need be, and see that it can be written to, so that nothing fails later.

    Raises:
        CacheError: it cannot.
    """
    place = Path(directory)
    try:
        if not place.is_dir():
            place.mkdir(parents=True, exist_ok=True)  # another scan may make it at the same time
            (place / ".gitignore").write_text("*\n")
        _replace(place / "probe", b"")
        (place / "probe").unlink(missing_ok=True)  # another scan may do the same at the same time
        forget_drafts(directory, ())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise CacheError(f"the cache {directory} cannot be written to: {reason}; name another with --cache") from None


class Cache:
    """The readings of the logs of one run.

    Args:
        directory: where they are kept; it has been prepared.
        how: what decides, beside the log and the code, what a reader hands over: the format, the options, the wanted.
    """

    def __init__(self, directory: str, how: tuple[object, ...]) -> None:
        self._directory = Path(directory)
        self._how = how

    def read(self, read: Read, path: Path, options: ReadOptions) -> Iterator[Series | Defect | Note]:
        """What ``read`` hands over; as much of it as possible from what was kept.

        Raises:
            OSError: the log has to be read and cannot be.
        """
        before = Fingerprint.of(path)
        if before is None:
            yield from _without_mark(read, path, options)
            return
        key = Key.of(path, self._how)
        place = self._directory / key.file_name
        kept = Reading.load(place, key)
        if kept is not None and kept.fingerprint == before:
            yield from kept.items(path)
            return
        start = kept.to_go_on_from(path, before.size) if kept is not None else None
        draft = Draft(place)
        try:
            mark = None
            for item in _all(start, read, path, options):
                if isinstance(item, Cursor):
                    mark = item
                else:
                    draft.add(item)
                    yield item
            known = _known(path, before, mark)
            if known is not None:
                draft.keep(key, known, mark)
        finally:
            draft.discard()


def _all(start: Reading | None, read: Read, path: Path, options: ReadOptions) -> Iterator[Item]:
    """What is known already, then the rest; the whole, if the reader cannot go on from the mark."""
    if start is not None:
        try:
            rest = _begun(read(path, replace(options, since=start.mark, mark=True)))
        except MarkError:
            start = None
    if start is None:
        rest = read(path, replace(options, mark=True))
    else:
        yield from start.items(path)
    yield from rest


def _begun(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the first of which has been asked for: by then the reader has looked at its mark."""
    first = next(items, None)
    return items if first is None else chain([first], items)


def _known(path: Path, before: Fingerprint, mark: Cursor | None) -> Fingerprint | None:
    """By what the log can be recognised next time; None if it changed in the meantime."""
    after = Fingerprint.of(path)
    if after == before:
        return before
    if mark is not None and after is not None and replace(before, modified=None).begins(path, after.size):
        return Fingerprint.of_part(path, mark.offset)  # it grew: what stands before the mark is known, the rest is not
    return None


def _without_mark(read: Read, path: Path, options: ReadOptions) -> Iterator[Series | Defect | Note]:
    for item in read(path, options):
        if not isinstance(item, Cursor):
            yield item


def _replace(place: Path, content: bytes) -> None:
    """In one step, so that another scan finds the old file or the new one, whole."""
    draft = place.with_name(f".{place.name}.{os.urandom(8).hex()}")
    try:
        draft.write_bytes(content)
        draft.replace(place)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
