"""Detectors over simulated runs."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from multiprocessing import get_context

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm, losses, merged
from tests.benchmarks.detection.detectors import Detector, make
from tests.simulator import simulate

SPLITS = {
    "tune": 0,
    "report": 1_000_000,
    "fresh": 2_000_000,
    "unseen": 3_000_000,
    "confirm": 7_000_000,
}  # first seed: what rules were tuned on is never what is reported
CADENCES, NOISES = (1, 5, 10, 50, 100, 500), (0.02, 0.05, 0.15)

Conditions = tuple[str, int, int, float]  # family, seed, cadence, noise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one detector said of one run.

    Attributes:
        points: of all loss series of the run.
        alarms: in the order of their steps.
        faults: codes of which any one is right; empty for a healthy run.
        onset, before_001: see ``SimulatedRun``.
        seconds: the detector took.
    """

    detector: str
    family: str
    seed: int
    cadence: int
    noise: float
    points: int
    alarms: Sequence[Alarm] = ()
    faults: Sequence[str] = ()
    onset: int | None = None
    before_001: int | None = None
    seconds: float = field(default=0.0, compare=False)


def seeds(split: str, count: int) -> range:
    """Of a split."""
    return range(SPLITS[split], SPLITS[split] + count)


def grid(
    families: Iterable[str], seeds: Iterable[int], cadences: Iterable[int], noises: Iterable[float]
) -> list[Conditions]:
    """Every run."""
    return list(product(families, seeds, cadences, noises))


def trials(runs: Sequence[Conditions], names: Sequence[str], jobs: int = 1) -> Iterator[Outcome]:
    """Every detector over every run."""
    work = partial(_trial, names=tuple(names))
    if jobs <= 1:
        for conditions in runs:
            yield from work(conditions)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for outcomes in pool.map(work, runs, chunksize=16):
            yield from outcomes


@cache
def made(name: str) -> Detector:
    """Tried on one point, so that what it imports does not count as its time."""
    detector = make(name)
    detector.alarms([Series("train/loss", [0], [1.0])])
    return detector


def _trial(conditions: Conditions, names: Sequence[str]) -> list[Outcome]:
    return [_judged(made(name), conditions) for name in names]


def _judged(detector: Detector, conditions: Conditions) -> Outcome:
    run = simulate(*conditions)
    series = list(run.series.values())
    points = sum(map(len, losses(series)[0]))
    start = time.perf_counter()
    said = detector.alarms(series)
    seconds = time.perf_counter() - start
    alarms = merged(said, run.cadence, run.onset) if detector.merges else sorted(said)
    return Outcome(detector.name, *conditions, points, alarms, run.faults, run.onset, run.before_001, seconds=seconds)
