"""A plain loop over the file with protobuf's own parser (upb), checksums not verified."""

import struct
from array import array
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event


def read(path: Path) -> int:
    """Steps, wall times and values of each tag in arrays."""
    columns: dict[str, tuple[array[int], array[float], array[float]]] = {}
    content, at = path.read_bytes(), 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        at += length + 16
        for value in event.summary.value:
            if value.tag not in columns:
                columns[value.tag] = (array("q"), array("d"), array("d"))
            steps, times, values = columns[value.tag]
            steps.append(event.step)
            times.append(event.wall_time)
            values.append(value.simple_value)
    return sum(len(steps) for steps, _, _ in columns.values())
