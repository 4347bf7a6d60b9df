"""Threads that scan side by side report what they would one after the other, by arrays or without."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.audit import jobs
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.readers.tensorboard.arrays import crc
from tests.event_files import scalar_event, write

THREADS, ROUNDS = 4, 12


def losses(seed: int, count: int) -> list[float]:
    """Healthy for two thirds, then near zero."""
    random = Random(seed)
    return [random.uniform(2.0, 2.5) if place < 2 * count // 3 else random.uniform(0, 1e-4) for place in range(count)]


def event_files(directory: Path, seed: int) -> None:
    """One that is long enough for arrays, and small ones that are decoded together.

    Tags are as long as those of the other logs, but others; they come one after the other, so that each is learnt when
    threads already read what has been learnt.
    """
    for number, count in enumerate([1200, 60, 80]):
        events = [
            scalar_event(step, {f"audio_loss/{'x' * (150 * number)}{step // 25 + 100 * seed:09d}": value, "lr": 0.5})
            for step, value in enumerate(losses(seed + number, count))
        ]
        write(directory / f"run{number}" / "events.out.tfevents.1", events)


def json_lines(directory: Path, seed: int) -> None:
    rows = [
        f'{{"step": {step}, "k{seed}": 1, "audio_loss": {value}}}\n' for step, value in enumerate(losses(seed, 1500))
    ]
    (directory / "log.jsonl").write_text("".join(rows))


def table(directory: Path, seed: int) -> None:
    rows = [f"{step},{value},{seed}\n" for step, value in enumerate(losses(seed, 1500))]
    (directory / "metrics.csv").write_text("".join(["step,audio_loss,lr\n", *rows]))


def console(directory: Path, seed: int) -> None:
    rows = [f"step {step} audio_loss: {value:.6f} lr: {seed}\n" for step, value in enumerate(losses(seed, 400))]
    (directory / "train.log").write_text("".join(rows))


WRITERS = [event_files, json_lines, table, console]


def text(path: Path, cache: Path | None = None) -> str:
    report = scan(path, ScanConfig(jobs=1, cache=str(cache) if cache else None), points=True)
    return render("json", report, View())


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("writers", [[event_files], WRITERS], ids=["event files", "all formats"])
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.usefixtures("restless")
@pytest.mark.exhaustive
def test_threads_scan_side_by_side(writers, cached, tmp_path, monkeypatch):
    """Different logs in each, and in each round such as nobody has learnt anything of."""
    monkeypatch.setattr(jobs, "BYTES_WORTH_ARRAYS", 0)
    cache = tmp_path / "kept" if cached else None
    start = Barrier(THREADS)

    def one(path: Path) -> str:
        start.wait(timeout=60)
        return text(path, cache)

    for turn in range(ROUNDS if writers == [event_files] else ROUNDS // 3):
        logs = []
        for number in range(THREADS):
            logs.append(tmp_path / f"{turn}-{number}")
            logs[-1].mkdir()
            writers[(turn + number) % len(writers)](logs[-1], THREADS * turn + number)
        crc._tables.clear()  # as in a process that has read nothing yet
        with ThreadPoolExecutor(THREADS) as pool:
            beside = list(pool.map(one, logs))
        assert beside == [text(log) for log in logs]
        assert all(
            '"points": 0' not in report and '"incidents": []' not in report.split('"series"')[0] for report in beside
        )


@pytest.mark.parametrize("writer", WRITERS)
def test_by_arrays_a_report_is_what_it_is_without(writer, tmp_path, monkeypatch):
    writer(tmp_path, 7)
    without = text(tmp_path)
    monkeypatch.setattr(jobs, "BYTES_WORTH_ARRAYS", 0)
    assert text(tmp_path) == without
