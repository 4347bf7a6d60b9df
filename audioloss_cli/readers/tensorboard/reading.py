"""One event file: its framing, and what was collected of it."""

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series, series
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.framing import Framing
from audioloss_cli.readers.tensorboard.paths import fastest
from audioloss_cli.readers.tensorboard.scalars import Scalars

Items = Iterator[Series | Defect | Cursor]


class Reading:
    """A file that is open, as far as it was read.

    Args:
        stream: at its start.
        path: for defects.
        options: what of it is asked for.
        scalars: what was collected before.

    Attributes:
        framing: which record comes next.
        scalars: what was collected and not handed over yet.
    """

    def __init__(
        self, stream: BufferedReader, path: Path, options: ReadOptions, scalars: Scalars | None = None
    ) -> None:
        self.framing = Framing(SlidingBuffer(stream), str(path), checksum=options.checksum)
        self.scalars = scalars or Scalars(options.wanted)
        self._request = options
        if options.since is not None:
            self.scalars.resume(options.since.state)
            self.framing.buffer.seek(options.since.offset)

    def items(self) -> Items:
        """What was collected, and all that follows."""
        intact = True
        for defect in fastest(self.framing, self.scalars, self._request):
            if defect is not None:
                intact = False
                yield defect
            if self.scalars.points >= series.POINTS_OF_A_CHUNK:
                yield from self.scalars.flush()
        yield from self.scalars.flush()
        # What stands behind damage may change how it is read.
        if self._request.mark and intact and not self.framing.believed:
            yield Cursor(self.framing.buffer.offset, self.scalars.state())


def read(path: Path, options: ReadOptions = EVERYTHING) -> Items:
    """The scalars of the file in file order, checksums verified; every record that could not be read as a Defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        yield from Reading(stream, path, options).items()
