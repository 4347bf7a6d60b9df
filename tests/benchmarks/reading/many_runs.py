"""Directories of many runs, for how much memory a scan takes: ``NAME(directory, size)`` writes ``size`` points."""

import json
import shutil
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from tests.benchmarks.reading import event_data
from tests.benchmarks.reading.curves import healthy

_LONG, _SHORT = 500_000, 100  # points of a run


def long_runs(directory: Path, size: int) -> None:
    """Runs of 500,000 events each, all with the content of the first."""
    event_data.runs(directory, min(size, _LONG), _LONG)
    first = directory / "run-0000"
    for index in range(1, size // _LONG):
        shutil.copytree(first, directory / f"run-{index:04d}")


def mixed_runs(directory: Path, size: int) -> None:
    """Runs of 100 points each: event files, JSON lines, tables, console output and states of a trainer, in turn."""
    writers = (_events, _json_lines, _table, _console, _trainer_state)
    for index, write in zip(range(-(-size // _SHORT)), cycle(writers), strict=False):
        run = directory / f"run-{index:05d}"
        run.mkdir(parents=True)
        write(run, list(healthy(min(_SHORT, size - index * _SHORT), seed=index)))


def _events(run: Path, values: Sequence[float]) -> None:
    points = ((step, "train/audio_loss") for step in range(len(values)))
    event_data.write(run / Path(event_data.FILE).name, event_data.single(points, len(values), seed=len(run.name)))


def _json_lines(run: Path, values: Sequence[float]) -> None:
    rows = (json.dumps({"step": step, "audio_loss": value}) for step, value in enumerate(values))
    (run / "log.jsonl").write_text("\n".join(rows) + "\n")


def _table(run: Path, values: Sequence[float]) -> None:
    rows = (f"{step},{value}" for step, value in enumerate(values))
    (run / "metrics.csv").write_text("\n".join(["step,audio_loss", *rows]) + "\n")


def _console(run: Path, values: Sequence[float]) -> None:
    lines = (f"Step {step}: Audio Loss = {value:.4f}" for step, value in enumerate(values))
    (run / "train.log").write_text("\n".join(lines) + "\n")


def _trainer_state(run: Path, values: Sequence[float]) -> None:
    history = [{"step": step, "loss": value} for step, value in enumerate(values)]
    (run / "trainer_state.json").write_text(json.dumps({"log_history": history, "global_step": len(values)}))
