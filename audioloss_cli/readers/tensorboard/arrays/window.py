"""One window, of one file or of several small ones: decoded at once, then taken in file by file."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from threading import local
from typing import NamedTuple

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers._protobuf import WireError
from audioloss_cli.readers.tensorboard.arrays.chain import Chain, chain
from audioloss_cli.readers.tensorboard.arrays.groups import Found, Groups
from audioloss_cli.readers.tensorboard.arrays.tags import Span, by_file, hand_over, tags_of
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.framing import CRC_BYTES, HEADER_BYTES, masked_crc
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import Place

_RECORDS_WORTH_A_TAG = 14  # to learn a tag and to sort its points out takes as long as to read so many one by one


class _Known(local):
    """What a thread knows of records, file after file: threads that scan side by side share nothing that changes."""

    def __init__(self) -> None:
        self.groups = Groups()


_known = _Known()


class _Unusual(NamedTuple):
    """A record that has no template, or that names a plugin where none was known.

    Attributes:
        record: its number.
        place: that names the plugin, if any does.
        leads: whether this is the first point of its tag.
    """

    record: int
    place: Place | None = None
    leads: bool = False


class Window:
    """The records of the files in it, and which of them can be taken in by the array.

    Args:
        memory: the bytes, with some to spare behind those of the files.
        files: where each starts in it, then where the last one ends.
        checksum: whether the checksums of payloads are verified.

    Attributes:
        links: the records.
    """

    def __init__(self, memory: memoryview, files: Sequence[int], *, checksum: bool) -> None:
        self._memory, self._files, self._checksum = memory, files, checksum
        buffer = np.frombuffer(memory, np.uint8)
        self.links: Chain = chain(buffer, files)
        found, self._odd = _known.groups.split(buffer, self.links)
        self._damaged = self._all_damaged(found)
        self._tags = tags_of(found, self.links.bounds)
        self._spans = by_file(self._tags, len(files) - 1)

    @property
    def is_scattered(self) -> bool:
        """Whether there are so many tags that records are read faster one by one."""
        return len(self._tags) * _RECORDS_WORTH_A_TAG > len(self.links.starts)

    def take(self, file: int, scalars: Scalars) -> int:
        """Take in the records of a file up to its first unusual one; return how many bytes these are."""
        links = self.links
        begin, end = links.bounds[file : file + 2]
        spans = self._spans[file]
        stop = self._stop(begin, end, spans, scalars)
        if stop < end:
            spans = [span for tag, first, _ in spans if (span := (tag, first, tag.before(stop)))[1] < span[2]]
        hand_over(spans, scalars)
        return (links.ends[file] if stop == end else int(links.starts[stop])) - self._files[file]

    def _all_damaged(self, found: Sequence[Found]) -> list[int]:
        """Numbers of the records whose checksums fail, ascending."""
        if not self._checksum:
            return []
        intact = [each.shape.intact(each.rows, each.fit) for each in found]
        return sorted(
            number
            for each, good in zip(found, intact, strict=True)
            if not good.all()
            for number in each.records[~good].tolist()
        )

    def _stop(self, begin: int, end: int, spans: Sequence[Span], scalars: Scalars) -> int:
        """Number of the first record that must be read by itself; ``end`` if there is none.

        One that names the plugin of its tag need not, if it is the first of that tag, as it is in every log that does.
        """
        stop = min([end, *_among(self._damaged, begin, end)[:1]])
        first = {tag.name: tag.key(point)[0] for tag, point, _ in spans}
        odd = [_Unusual(each) for each in _among(self._odd, begin, stop)]
        for record, place, leads in sorted([*odd, *_names(spans, scalars)], key=itemgetter(0)):
            if record >= stop:
                break
            if not (leads if place else self._passes(record, scalars, partial(_is_new, first, record))):
                return record
            if place:
                scalars.learn(place)
        return stop

    def _passes(self, number: int, scalars: Scalars, is_new: Callable[[str], bool]) -> bool:
        """Whether a record without a template is intact and has no point; for ``is_new`` see ``leaves_cold``."""
        start = int(self.links.starts[number]) + HEADER_BYTES
        end = start + int(self.links.lengths[number])
        payload = bytes(self._memory[start:end])
        stored = int.from_bytes(self._memory[end : end + CRC_BYTES], "little")
        if self._checksum and masked_crc(payload) != stored:
            return False
        try:
            return scalars.leaves_cold(parse_event(payload), is_new)
        except WireError:
            return False


def _is_new(first: Mapping[str, int], record: int, tag: str) -> bool:
    """Whether a tag, by the numbers of the first records, has no point before a record."""
    return first.get(tag, record) >= record


def _among(numbers: Sequence[int], begin: int, end: int) -> Sequence[int]:
    """Those from ``begin`` up to before ``end``."""
    return numbers[bisect_left(numbers, begin) : bisect_left(numbers, end)] if numbers else numbers


def _names(spans: Sequence[Span], scalars: Scalars) -> Iterator[_Unusual]:
    """The first record of each tag that names a plugin where none was known."""
    for tag, begin, end in spans:
        if tag.named and not scalars.knows(tag.name) and (found := tag.first_named(begin, end)) is not None:
            point, place = found
            yield _Unusual(tag.key(point)[0], place, point == begin)
