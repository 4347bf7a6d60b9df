"""One healthy file of each log format: a new reader adds a line to ``HEALTHY``."""

import json
from typing import NamedTuple

from tests import event_messages as event_pb2
from tests.event_files import records, scalar_event, version_event
from tests.readers.databases import healthy_project, healthy_store
from tests.readers.wandb.transaction_logs import healthy_log

SHAPE_OF_ONE = event_pb2.TensorShapeProto(dim=[event_pb2.Dim(size=1)])


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
        tensor = event_pb2.TensorProto(dtype=1, float_val=[event.step], tensor_shape=SHAPE_OF_ONE)
        event.summary.value.add(tag="tensor", tensor=tensor)
    points[0].summary.value[-1].metadata.plugin_data.plugin_name = "scalars"
    return b"".join(records([version_event(), start, *points[:19], start, *points[19:]]))


def _text() -> bytes:
    """Bars, colours, a line for a step and lines for its losses, a restart, held-out values, a warning."""
    parts = ["Using auto half precision backend\n"]
    for step in [*range(1, 20), *range(15, 25)]:
        parts.append(f"\r  5%|5         | {step}/100 [00:10<10:00,  1.02it/s]")
        parts.append(f"\n\x1b[32mINFO\x1b[0m 10:00:{step:02} Step {step}/100, Loss: {step + 0.5}, LR: {1 / step:.2e}\n")
        parts += [f"Codebook {place} loss: {place + 1 / step}\n" for place in range(2)]
        parts += [f"Validation loss: {step * 2}\n"] if step % 5 == 0 else []
    return "".join([*parts, "UserWarning: 3 of the inputs have no gradient\n"]).encode()


def _csv() -> bytes:
    """Lightning's sparse cells: rows of training, of the learning rate and of an evaluation; two sessions; an epoch."""
    rows = ["epoch,step,train_loss_step,train_loss_epoch,lr-AdamW,val_loss,audio_loss"]
    for step in [*range(1, 20), *range(15, 25)]:
        rows += [f"0,{step},{step + 0.5},,,,{'nan' if step == 9 else 1.25}", f",{step},,,1e-04,,"]
    return "\r\n".join([*rows, "0,24,,2.5,,2.0,", ""]).encode()


def _trainer_state() -> bytes:
    """Rows of training and evaluation and a summary, NaN, and a number that is null."""
    rows = [{"loss": None if step == 6 else step + 0.5, "grad_norm": 0.5, "step": step} for step in range(1, 25)]
    rows[8]["grad_norm"] = float("nan")
    rows += [{"eval_loss": 2.0, "step": 24}, {"train_loss": 9.0, "train_runtime": 5.0, "step": 24}]
    return json.dumps({"global_step": 24, "log_history": rows, "stateful_callbacks": {}}, indent=2).encode()


HEALTHY = {
    "text": Healthy("train.log", _text()),
    "wandb": Healthy("run-k3x8a2q1.wandb", healthy_log()),
    "mlflow": Healthy("mlflow.db", healthy_store()),
    "trackio": Healthy("project.db", healthy_project()),
    "csv": Healthy("metrics.csv", _csv()),
    "json": Healthy("history.json", _json()),
    "jsonl": Healthy("log.jsonl", _jsonl()),
    "trainer_state": Healthy("trainer_state.json", _trainer_state()),
    "tensorboard": Healthy("events.out.tfevents.1", _tensorboard()),
}
