"""A record read by the wire parser: the specification of what every faster path must find."""

from audioloss_cli.model import Defect
from audioloss_cli.readers._protobuf import WireError
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.framing import Frame
from audioloss_cli.readers.tensorboard.scalars import Scalars


def parsed(item: Frame | Defect, scalars: Scalars, path: str) -> Defect | None:
    """Take in a record; a Defect for what cannot be read of it, or the one that was found in its place."""
    if isinstance(item, Defect):
        return item
    try:
        event = parse_event(item.payload)
    except WireError:
        return _malformed(path, item.offset, "no TensorBoard event")
    scalars.add(event)
    if event.faults:
        return _malformed(path, item.offset, ", ".join(event.faults))
    return None


def _malformed(path: str, offset: int, what: str) -> Defect:
    message = f"the record is intact but holds {what}; the rest was read"
    return Defect(path, "malformed", message, offset=offset)
