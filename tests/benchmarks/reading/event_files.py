"""Event files of the benchmark, made of TensorBoard's own messages.

The framing is written here because torch's writer takes a minute for a million events; a test holds it to the bytes of
torch's and TensorBoard's own writers.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c
from tensorboard.compat.proto.event_pb2 import Event


def write(path: Path, events: Iterable[Event]) -> None:
    """One file: the version record, then these events. They are serialised at once, so one message may serve again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(_record(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString()))
        for event in events:
            stream.write(_record(event.SerializeToString()))


def _record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return b"%b%b%b%b" % (length, _masked(length), payload, _masked(payload))


def _masked(content: bytes) -> bytes:
    """TFRecord's masked CRC32C, little endian (tensorflow/core/lib/hash/crc32c.h)."""
    crc = google_crc32c.value(content)
    return (((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")
