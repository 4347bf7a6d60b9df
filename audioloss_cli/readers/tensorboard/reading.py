"""One event file: its framing, and what was collected of it."""

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series, series
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.found import Defects
from audioloss_cli.readers.tensorboard.framing import HEADER_BYTES, Framing, is_header
from audioloss_cli.readers.tensorboard.paths import fastest
from audioloss_cli.readers.tensorboard.scalars import Scalars

if TYPE_CHECKING:
    from audioloss_cli.readers.tensorboard.inflated import Inflated

Items = Iterator[Series | Defect | Cursor]


class Reading:
    """A file that is open, as far as it was read.

    Args:
        stream: at its start.
        path: for defects.
        options: what of it is asked for.
        scalars: what was collected before.
        offset: byte up to which that was.

    Attributes:
        framing: which record comes next.
        scalars: what was collected and not handed over yet.
    """

    def __init__(
        self,
        stream: BufferedReader,
        path: Path,
        options: ReadOptions,
        scalars: Scalars | None = None,
        offset: int = 0,
    ) -> None:
        offset = options.since.offset if options.since else offset
        self._inflated = None if offset else _inflated(stream)
        buffer = SlidingBuffer(BufferedReader(self._inflated) if self._inflated else stream)
        self.framing = Framing(buffer, str(path), checksum=options.checksum)
        self.scalars = scalars or Scalars(options.wanted)
        self._options = options
        self._defects = Defects()
        if options.since is not None:
            self.scalars.resume(options.since.state)
        if offset:
            buffer.seek(offset)

    def items(self) -> Items:
        """What was collected, and all that follows; then what is wrong with it."""
        for defect in fastest(self.framing, self.scalars, self._options):
            if defect is not None:
                self._defects.add(defect)
            if self.scalars.points >= series.POINTS_OF_A_CHUNK:
                yield from self.scalars.flush()
        yield from self.scalars.flush()
        if self._inflated and self._inflated.damage:
            self._defects.drop("truncated")  # what ends is the compressed stream
            self._defects.add(self.framing.defect("compression", self._inflated.damage))
        intact = not self._defects
        yield from self._defects.all(self.framing.copied)
        # What stands behind damage may change how it is read.
        if self._options.mark and self.framing.buffer.seekable and intact and not self.framing.believed:
            yield Cursor(self.framing.buffer.offset, self.scalars.state())


def _inflated(stream: BufferedReader) -> "Inflated | None":
    """What is compressed in a file, if its first bytes say that something is and are no header of a record."""
    if is_header(stream.peek(HEADER_BYTES)[:HEADER_BYTES]):
        return None
    from audioloss_cli.readers.tensorboard.inflated import Inflated  # noqa: PLC0415
    from audioloss_cli.storage.compressed import compression  # noqa: PLC0415  # few event files need them

    kind = compression(stream)
    return Inflated(stream, kind) if kind else None


def read(path: Path, options: ReadOptions = EVERYTHING) -> Items:
    """The scalars of the file in file order, checksums verified; then a Defect for every record that could not be read.

    Of more than a few defects of one kind there is one, with their number. A file that is compressed is read as what
    was compressed.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        yield from Reading(stream, path, options).items()
