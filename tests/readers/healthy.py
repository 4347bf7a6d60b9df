"""One healthy file of each log format: a new reader adds a line to ``HEALTHY``."""

import json
from typing import NamedTuple

from tensorboard.compat.proto import event_pb2, tensor_pb2, tensor_shape_pb2

from tests.event_files import records, scalar_event, version_event

SHAPE_OF_ONE = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])


class Healthy(NamedTuple):
    """At least three series, 40 points and 15 steps, without a defect, in a file that its reader claims."""

    file: str
    content: bytes


def _jsonl() -> bytes:
    """Nested and flat numbers, codebooks, an evaluation row, and every way to have no number."""
    rows = [
        {"step": step, "loss": None if step % 6 == 0 else step + 0.5, "time": 1.7e9 + step, "lr": 0.1, "never": None}
        | {"train": {"audio_loss": [1.0, float("nan")], "er": None if step == 9 else "0.25"}}
        for step in [*range(1, 20), *range(15, 25)]
    ]
    return "".join(json.dumps(row) + "\n" for row in [*rows, {"step": 24, "eval_loss": 2.0, "loss": None}]).encode()


def _json() -> bytes:
    """The history of a training, an array of rows over several lines."""
    rows = [
        {"epoch": epoch, "train": {"ce": 6.0 / epoch, "lr": 0.1}, "valid": {"ce": 7.0 / epoch}}
        for epoch in range(1, 20)
    ]
    return json.dumps(rows, indent=2).encode()


def _tensorboard() -> bytes:
    """Two sessions, of which the second goes back; a list of one number, which only its first event calls a scalar."""
    start = event_pb2.Event(wall_time=1.7e9, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
    steps = [*range(1, 20), *range(15, 25)]
    points = [scalar_event(step, {"loss": step + 0.5, "audio_loss": float("nan"), "lr": 0.1}) for step in steps]
    for event in points:
        tensor = tensor_pb2.TensorProto(dtype=1, float_val=[event.step], tensor_shape=SHAPE_OF_ONE)
        event.summary.value.add(tag="tensor", tensor=tensor)
    points[0].summary.value[-1].metadata.plugin_data.plugin_name = "scalars"
    return b"".join(records([version_event(), start, *points[:19], start, *points[19:]]))


HEALTHY = {
    "json": Healthy("history.json", _json()),
    "jsonl": Healthy("log.jsonl", _jsonl()),
    "tensorboard": Healthy("events.out.tfevents.1", _tensorboard()),
}
