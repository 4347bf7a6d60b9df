"""TensorBoard event files, from any writer: TFRecord framing around ``tensorboard.Event`` messages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from audioloss_cli.readers.tensorboard.events import Event, parse_event
from audioloss_cli.readers.tensorboard.framing import frames
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.wire import WireError
from audioloss_cli.records import EVERYTHING, Defect, Request, Series, series

GROUPING: Literal["directory", "file"] = "directory"


def claims(path: Path) -> bool:
    """TensorBoard's own rule: ``tfevents`` in the name; the profiler's empty marker file is no log."""
    return "tfevents" in path.name and not path.name.endswith(".profile-empty")


def read(path: Path, request: Request = EVERYTHING) -> Iterator[Series | Defect]:
    """The scalars of the file in file order, checksums verified; every record that could not be read as a Defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    scalars = Scalars(request.wanted)
    with path.open("rb") as stream:
        for frame in frames(stream, str(path), checksum=request.checksum):
            if isinstance(frame, Defect):
                yield frame
                continue
            event = _event(frame.payload)
            if event is None or event.unreadable:
                what = "no TensorBoard event" if event is None else f"{event.unreadable} values that cannot be read"
                message = f"the record is intact but holds {what}; the rest was read"
                yield Defect(str(path), "malformed", message, offset=frame.offset)
            if event is None:
                continue
            scalars.add(event)
            if scalars.points >= series.POINTS_OF_A_CHUNK:
                yield from scalars.flush()
    yield from scalars.flush()


def _event(payload: bytes) -> Event | None:
    try:
        return parse_event(payload)
    except WireError:
        return None
