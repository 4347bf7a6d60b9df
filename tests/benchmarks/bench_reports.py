"""Memory and time of a scan of very many runs, with every kind of report at once or one by one.

``python -m tests.benchmarks.bench_reports [--runs 10000] [--points 50000] [--broken 0.1] [KIND ...]``

Each run is an event file in a directory of its own. Lest they fill a disk (10,000 runs of 50,000 points are 25 GB), the
files are holes behind their first records, as long as they would be; whenever one is to be read, the reader gets one of
two real ones instead: a healthy loss, or one that collapses twice. Discovery, reading, replay and the reports are those
of ``audioloss scan``, in one process; the reports go into files. The memory is the highest resident set of the process,
with Python, numpy and the long file that is being read.
"""

import argparse
import contextlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from audioloss_cli import cli, outputs
from audioloss_cli.readers import tensorboard
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

_ALL = "all at once"
_BROKEN = "broken"


def values_of(points: int, *, broken: bool) -> list[float]:
    """A loss that stays, or that goes down to next to nothing twice."""
    values = wobbly(3.0, points)
    if broken:
        for start in (points // 2, points * 9 // 10):
            values[start : start + points // 50] = wobbly(0.004, points // 50)
    return values


def make(directory: Path, runs: int, points: int, share: float) -> None:
    """Write the two real files, and the others."""
    for name in (_BROKEN, "healthy"):
        values = values_of(points, broken=name == _BROKEN)
        events = [scalar_event(10 * step, {"audio_loss": value}) for step, value in enumerate(values)]
        write(directory / "long" / f"{name}.tfevents", events)
    small = [scalar_event(step, {"audio_loss": 3.0}) for step in range(2)]
    for number in range(runs):
        name = _BROKEN if number < runs * share else "healthy"
        path = write(directory / "runs" / f"run-{number:05}" / f"{name}.tfevents", small)
        os.truncate(path, (directory / "long" / path.name).stat().st_size)


def scan(directory: Path, kinds: Sequence[str]) -> int:
    """Scan in this process, with reports of these kinds; return the peak of the resident set in bytes."""
    read = tensorboard.read

    def read_long(asked: Iterator[tuple[Path, object]]) -> Iterator[object]:
        return (read(directory / "long" / path.name, options) for path, options in asked)

    tensorboard.read_many = read_long
    options = [f"--report={kind}={directory / kind}" for kind in kinds]
    code = cli.execute(["scan", str(directory / "runs"), "--jobs", "1", "-o", os.devnull, *options])
    assert code in (0, 1), code
    return peak_resident()


def peak_resident() -> int:
    """Most bytes resident in this process; ``ru_maxrss`` may be that of the process which started it."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(directory: Path, kinds: Sequence[str]) -> tuple[float, float]:
    """Peak in MB and seconds of CPU of a new process that does it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        f"from tests.benchmarks.bench_reports import scan, Path; print(scan(Path({str(directory)!r}), {list(kinds)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return int(done.stdout.split()[-1]) / 1e6, seconds


def main() -> None:
    """Print a row a kind."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("kinds", nargs="*", metavar="KIND", help="one by one, instead of all at once")
    found.add_argument("--runs", type=int, default=10_000)
    found.add_argument("--points", type=int, default=50_000, help="of each run")
    found.add_argument("--broken", type=float, default=0.1, help="share of the runs that collapse")
    asked = found.parse_args()
    with TemporaryDirectory() as name:
        directory = Path(name)
        start = time.perf_counter()
        make(directory, asked.runs, asked.points, asked.broken)
        print(f"{asked.runs:,} runs of {asked.points:,} points, {asked.broken:.0%} broken (made in", end=" ")
        print(
            f"{time.perf_counter() - start:.0f} s)\n\n| report | peak, MB | CPU, s | written, MB |\n|---|---|---|---|"
        )
        for label, kinds in [(kind, [kind]) for kind in asked.kinds] or [(_ALL, outputs.names())]:
            peak, seconds = measured(directory, kinds)
            written = sum((directory / kind).stat().st_size for kind in kinds) / 1e6
            print(f"| {label} | {peak:.0f} | {seconds:.0f} | {written:.1f} |", flush=True)


if __name__ == "__main__":
    main()
