"""One window, of one file or of several small ones: decoded at once, then taken in file by file."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.tensorboard.arrays.chain import Chain, chain
from audioloss_cli.readers.tensorboard.arrays.groups import Found, Groups
from audioloss_cli.readers.tensorboard.arrays.points import Span, hand_over, tags_of
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.framing import CRC_BYTES, HEADER_BYTES, masked_crc
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import Place
from audioloss_cli.readers.tensorboard.wire import WireError

_groups = Groups()


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
        found, self._odd = _groups.split(buffer, self.links)
        self._damaged = self._all_damaged(found)
        self._tags = tags_of(found, self.links.bounds)

    def take(self, file: int, scalars: Scalars) -> int:
        """Take in the records of a file up to its first unusual one; return how many bytes these are."""
        links = self.links
        begin, end = links.bounds[file : file + 2]
        spans = [span for tag in self._tags if (span := tag.span(file))[1] < span[2]]
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
        odd: list[tuple[int, Place | None, bool]] = [(each, None, False) for each in _among(self._odd, begin, stop)]
        for record, place, leads in sorted([*odd, *_names(spans, scalars)], key=itemgetter(0)):
            if record >= stop:
                break
            if not (self._passes(record, scalars) if place is None else leads):
                return record
            if place is not None:
                scalars.learn(place)
        return stop

    def _passes(self, number: int, scalars: Scalars) -> bool:
        """Whether a record without a template is intact and nothing would be different without it."""
        start = int(self.links.starts[number]) + HEADER_BYTES
        end = start + int(self.links.lengths[number])
        payload = bytes(self._memory[start:end])
        stored = int.from_bytes(self._memory[end : end + CRC_BYTES], "little")
        if self._checksum and masked_crc(payload) != stored:
            return False
        try:
            return scalars.leaves_cold(parse_event(payload))
        except WireError:
            return False


def _among(numbers: Sequence[int], begin: int, end: int) -> Sequence[int]:
    """Those from ``begin`` up to before ``end``."""
    return numbers[bisect_left(numbers, begin) : bisect_left(numbers, end)] if numbers else numbers


def _names(spans: Sequence[Span], scalars: Scalars) -> Iterator[tuple[int, Place, bool]]:
    """Records that name a plugin that was not known: number, place, and whether it is the first of its tag."""
    for tag, begin, end in spans:
        if tag.named and not scalars.knows(tag.name) and (found := tag.first_named(begin, end)) is not None:
            point, place = found
            yield tag.key(point)[0], place, point == begin
