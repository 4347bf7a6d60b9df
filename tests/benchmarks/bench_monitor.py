"""What the monitor costs: microseconds an ``update``, and millions of points a second in ``replay``, with all rules.

``python -m tests.benchmarks.bench_monitor [--points N] [--repeats N]``. Each figure is the median of the repeats, with
the least and the greatest. ``replay`` is compared with ``update`` in a loop over the same series, in the same run.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioloss_cli import AudioLossMonitor, Series
from audioloss_cli.monitor.points import beside_at

Values = NDArray[np.float64]

LEVEL = 4.0
CADENCES, NOISES = (1, 10, 100), (0.02, 0.05, 0.15)


def healthy(points: int, cadence: int, noise: float) -> Series:
    """A power law down to 4 nats, with log-normal noise."""
    steps = np.arange(points, dtype=np.int64) * cadence
    shocks = np.random.default_rng(0).normal(0, noise, points)
    return Series("loss", steps, (LEVEL + 3 / np.sqrt(1 + steps / 2000)) * np.exp(shocks), steps * 0.5)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A series in which something is wrong from the first fifth on, and what the monitor is told beside it."""

    change: Callable[[Values], Values] = lambda part: part
    whole: Callable[[int], Values] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    codebooks: int = 0

    def draw(self, points: int, cadence: int) -> Series:
        """The healthy series, with its trouble."""
        series = healthy(points, cadence, 0.05)
        values = np.array(series.values) if self.whole is None else self.whole(points)
        values[points // 5 :] = self.change(values[points // 5 :])
        return Series("loss", series.steps, values, series.wall_times)

    def beside(self, series: Series) -> dict[str, Values]:
        """Each codebook a little above the last one."""
        values = np.asarray(series.values)
        columns = {f"codebook/{number}": values * 1.02**number for number in range(self.codebooks)}
        return columns | {"codebook": np.full(len(values), 3.0)} if columns else {}


def at_chance(points: int) -> Values:
    """It never leaves the level of guessing."""
    return np.log(1026) * np.exp(np.random.default_rng(0).normal(0, 0.005, points))


HEALTHY = Trouble()
TROUBLES = {
    "collapsed: critical fires": Trouble(lambda part: part * 0.0005),
    "around the critical threshold": Trouble(lambda part: part * 0.001),
    "dropped to a tenth: warning fires": Trouble(lambda part: part * 0.1),
    "raised 3.5 times: critical fires": Trouble(lambda part: part * 3.5),
    "NaN for good": Trouble(lambda part: np.full(len(part), np.nan)),
    "zero for good": Trouble(lambda part: np.zeros(len(part))),
    "frozen for good": Trouble(lambda part: np.full(len(part), part[0])),
    "at chance: pending": Trouble(whole=at_chance, options={"options": {"chance-level": {"steps": 1e12}}}),
    "at chance: fires": Trouble(whole=at_chance),
    "resolved, not closed yet": Trouble(
        lambda part: np.where(np.arange(len(part)) < 300, part * 0.001, part), options={"window_size": 10**9}
    ),
    "healthy, 8 codebooks beside": Trouble(codebooks=8),
}


def updated(series: Series, trouble: Trouble) -> float:
    """Seconds that a training loop spends on it, point by point; what it logs beside the loss is there already."""
    monitor = AudioLossMonitor(**trouble.options)
    columns = {name: column.tolist() for name, column in trouble.beside(series).items()}
    others = [beside_at(columns, index) for index in range(len(series))]
    steps, values = np.asarray(series.steps).tolist(), np.asarray(series.values).tolist()
    start = time.perf_counter()
    for step, value, beside in zip(steps, values, others, strict=True):
        monitor.update(value, step, 0.0, beside)
    return time.perf_counter() - start


def replayed(series: Series, trouble: Trouble) -> float:
    """Seconds by the array."""
    monitor, columns = AudioLossMonitor(**trouble.options), trouble.beside(series)
    start = time.perf_counter()
    monitor.replay(series, columns, arrays=True)
    return time.perf_counter() - start


def line(name: str, series: Series, few: Series, repeats: int, trouble: Trouble = HEALTHY) -> str:
    """One row: ``update`` over the few points, ``replay`` over all."""
    live = sorted(1e6 * updated(few, trouble) / len(few) for _ in range(repeats))
    fast = sorted(len(series) / replayed(series, trouble) / 1e6 for _ in range(repeats))
    return f"| {name:<43} | {shown(live)} | {shown(fast)} | {median(fast) * median(live):.0f}x |"


def shown(figures: Sequence[float]) -> str:
    """Median, least and greatest."""
    return f"{median(figures):6.2f} ({min(figures):.2f} to {max(figures):.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    few = min(options.points, 50_000)
    print("| series | update, us a point | replay, M points/s | replay is faster by |\n|---|---|---|---|")
    for cadence in CADENCES:
        for noise in NOISES:
            name = f"healthy, {cadence} steps, noise {noise:g}"
            series = (healthy(count, cadence, noise) for count in (options.points, few))
            print(line(name, *series, options.repeats), flush=True)
    for name, trouble in TROUBLES.items():
        for cadence in CADENCES[:2]:
            drawn = (trouble.draw(count, cadence) for count in (options.points // 5, few // 2))
            print(line(f"{name}, {cadence} steps", *drawn, options.repeats, trouble), flush=True)


if __name__ == "__main__":
    main()
