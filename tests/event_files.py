"""Event files made of the reference implementation's own messages, record by record."""

import math
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.util import tensor_util

from audioloss_cli import registry
from audioloss_cli.model import Defect, Series

Triples = list[tuple[float, int, float]]


def record(payload: bytes) -> bytes:
    """One TFRecord, with checksums from the reference implementation."""
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked_crc32c(length)) + payload + struct.pack("<I", masked_crc32c(payload))


def scalar_event(step: int, values: dict[str, float], wall_time: float = 0.0) -> event_pb2.Event:
    event = event_pb2.Event(step=step, wall_time=wall_time or 1.7e9 + step)
    for tag, value in values.items():
        event.summary.value.add(tag=tag, simple_value=value)
    return event


def version_event() -> event_pb2.Event:
    return event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2")


def records(events: Iterable[event_pb2.Event]) -> list[bytes]:
    return [record(event.SerializeToString()) for event in events]


def write(path: Path, events: Iterable[event_pb2.Event]) -> Path:
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
