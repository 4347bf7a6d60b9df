"""TensorBoard event files, from any writer: TFRecord framing around ``tensorboard.Event`` messages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.framing import Framing
from audioloss_cli.readers.tensorboard.paths import fastest
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.records import EVERYTHING, Defect, Mark, Request, Series, series

GROUPING: Literal["directory", "file"] = "directory"


def claims(path: Path) -> bool:
    """TensorBoard's own rule: ``tfevents`` in the name; the profiler's empty marker file is no log."""
    return "tfevents" in path.name and not path.name.endswith(".profile-empty")


def read(path: Path, request: Request = EVERYTHING) -> Iterator[Series | Defect | Mark]:
    """The scalars of the file in file order, checksums verified; every record that could not be read as a Defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    scalars = Scalars(request.wanted)
    with path.open("rb") as stream:
        framing = Framing(SlidingBuffer(stream), str(path), checksum=request.checksum)
        if request.since is not None:
            scalars.resume(request.since.state)
            framing.buffer.seek(request.since.offset)
        intact = True
        for defect in fastest(framing, scalars, request):
            if defect is not None:
                intact = False
                yield defect
            if scalars.points >= series.POINTS_OF_A_CHUNK:
                yield from scalars.flush()
    yield from scalars.flush()
    if request.mark and intact and not framing.believed:  # what stands behind damage may change how it is read
        yield Mark(framing.buffer.offset, scalars.state())
