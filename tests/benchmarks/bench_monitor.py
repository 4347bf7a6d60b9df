"""What the monitor costs: microseconds an ``update``, and millions of points a second in ``replay``, with all rules.

``python -m tests.benchmarks.bench_monitor [--points N] [--repeats N]``. Each figure is the median of the repeats, with
the least and the greatest. ``replay`` is compared with ``update`` in a loop over the same series, in the same run.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np

from audioloss_cli import AudioLossMonitor, Series

LEVEL, COLLAPSED = 4.0, 0.004
CADENCES, NOISES = (1, 10, 100), (0.02, 0.05, 0.15)


def healthy(points: int, cadence: int, noise: float) -> Series:
    """A power law down to 4 nats, with log-normal noise."""
    steps = np.arange(points, dtype=np.int64) * cadence
    shocks = np.random.default_rng(0).normal(0, noise, points)
    return Series("loss", steps, (LEVEL + 3 / np.sqrt(1 + steps / 2000)) * np.exp(shocks), steps * 0.5)


def collapsed(points: int) -> Series:
    """The same, but from the first fifth on it has collapsed: an incident fires at every point."""
    series = healthy(points, 1, 0.05)
    values = np.array(series.values)
    values[points // 5 :] *= COLLAPSED / LEVEL
    return Series("loss", series.steps, values, series.wall_times)


def spent(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each repeat."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def updated(series: Series) -> None:
    """Point by point, as a training loop does."""
    monitor = AudioLossMonitor()
    for step, value in zip(np.asarray(series.steps).tolist(), np.asarray(series.values).tolist(), strict=True):
        monitor.update(value, step, 0.0)


def line(name: str, series: Series, few: Series, repeats: int) -> str:
    """One row: ``update`` over the few points, ``replay`` over all."""
    live = [1e6 * each / len(few) for each in spent(lambda: updated(few), repeats)]
    fast = [len(series) / each / 1e6 for each in spent(lambda: AudioLossMonitor().replay(series), repeats)]
    return f"| {name:<28} | {shown(live)} | {shown(fast)} | {median(fast) * median(live):.0f}x |"


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
    print(line("collapsed", collapsed(few), collapsed(few), options.repeats))


if __name__ == "__main__":
    main()
