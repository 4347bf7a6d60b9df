"""Event files made record by record of the messages in ``event_messages``."""

import math
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import google_crc32c

from audioloss_cli import registry
from audioloss_cli.model import Defect, Series
from tests.event_messages import Event

Triples = list[tuple[float, int, float]]


def masked_crc32c(data: bytes) -> int:
    """CRC-32C, masked as the TFRecord format stores it."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(payload: bytes) -> bytes:
    """One TFRecord."""
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked_crc32c(length)) + payload + struct.pack("<I", masked_crc32c(payload))


def scalar_event(step: int, values: dict[str, float], wall_time: float = 0.0) -> Event:
    event = Event(step=step, wall_time=wall_time or 1.7e9 + step)
    for tag, value in values.items():
        event.summary.value.add(tag=tag, simple_value=value)
    return event


def version_event() -> Event:
    return Event(wall_time=1.7e9, file_version="brain.Event:2")


def records(events: Iterable[Event]) -> list[bytes]:
    return [record(event.SerializeToString()) for event in events]


def write(path: Path, events: Iterable[Event]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(records(events)))
    return path


def read(path: Path, reader: str = "tensorboard") -> tuple[dict[str, Series], list[Defect]]:
    """Our reading of a file: whole series by tag, and the defects."""
    chunks: dict[str, list[Series]] = {}
    defects: list[Defect] = []
    for item in registry.load("readers", reader).read(path):
        if isinstance(item, Defect):
            defects.append(item)
        elif isinstance(item, Series):
            chunks.setdefault(item.tag, []).append(item)
    return {tag: Series.join(parts) for tag, parts in chunks.items()}, defects


def triples(series: Series) -> Triples:
    return list(zip(series.wall_times, series.steps, series.values, strict=True))


def reference(path: Path) -> dict[str, Triples]:
    """What TensorBoard's own EventAccumulator reads: simple values, and tensors of one number."""
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    everything: dict[str, int] = dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0)
    accumulator = event_accumulator.EventAccumulator(str(path), everything, purge_orphaned_data=False)
    accumulator.Reload()
    found = {
        tag: [(e.wall_time, e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]
    }
    for tag in accumulator.Tags()["tensors"]:
        events = accumulator.Tensors(tag)
        arrays = [tensor_util.make_ndarray(e.tensor_proto) for e in events]
        if all(
            (array.shape == () and array.dtype.kind in "fiub") or str(array.dtype) == "bfloat16" for array in arrays
        ):
            found[tag] = [(e.wall_time, e.step, float(a)) for e, a in zip(events, arrays, strict=True)]
    return found


def bits(points: Sequence[tuple[float, int, float]]) -> list[tuple[float, int, str]]:
    """Comparable though values may be NaN: every NaN is one."""
    return [(wall, step, "nan" if math.isnan(value) else value.hex()) for wall, step, value in points]
