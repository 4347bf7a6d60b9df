"""Runs contenders, each in a fresh process, in turn, so that a drift of the machine hits them all."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.reading.call import BYTES_OF_MAXRSS
from tests.benchmarks.reading.contenders import Contender

ROOT = Path(__file__).parents[3]


class FailedError(Exception):
    """A contender did not do its work."""


# numpy's threads for matrices, which nobody here has, would spin and be counted: off for all.
_ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Run:
    """One run: seconds and CPU seconds, highest memory in millions of bytes, points read if it says so."""

    seconds: float
    cpu: float
    peak_mb: float
    points: int | None = None


@dataclass
class Result:
    """The runs of one contender over ``size`` points of the ``whole``, or why there are none."""

    contender: Contender
    size: int
    whole: int
    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    @property
    def measured(self) -> bool:
        """Whether its figures may be shown: those of one that failed on the way may be of another work."""
        return bool(self.runs) and not self.failure

    def seconds(self) -> list[float]:
        """Of each run, as though over the whole: time is taken to grow as the points do."""
        return [run.seconds * self.whole / self.size for run in self.runs]

    def middle(self, figure: str) -> float:
        """Median ``seconds`` or ``cpu`` over the whole; of ``peak_mb`` what was seen, not scaled."""
        scale = 1.0 if figure == "peak_mb" else self.whole / self.size
        return median(getattr(run, figure) for run in self.runs) * scale


def generate(data: str, size: int, place: Path) -> None:
    """Make the data if they are not there.

    Raises:
        FailedError: the generator failed.
    """
    command = [sys.executable, "-m", "tests.benchmarks.reading.generate", data, str(size), str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"no data {place.name}: {_last_line(done.stderr)}")


def in_turn(
    contenders: Sequence[Contender],
    paths: Mapping[Contender, tuple[Path, int]],
    whole: int,
    rounds: int,
    progress: Callable[[Contender, int], None],
) -> list[Result]:
    """Every contender once a round, a slow one in the first alone; who fails or is not installed says why."""
    results = {one: Result(one, paths[one][1], whole) for one in contenders}
    for one, result in results.items():
        if one.missing:
            result.failure = f"not installed: {', '.join(one.missing)}"
    for turn in range(rounds):
        for one, result in results.items():
            if result.failure or (turn and one.slow):
                continue
            progress(one, turn)
            try:
                result.runs.append(once(one, paths[one][0]))
            except FailedError as error:
                result.failure = f"failed: {error}"
    return list(results.values())


def once(contender: Contender, path: Path) -> Run:
    """One run.

    Raises:
        FailedError: it ended with an exit code that it must not end with, or did not say what it measured.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            contender.arguments(path), cwd=ROOT, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)  # the usage of this process and of those that it waited for
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, errors):
            stream.seek(0)
        if process.returncode not in contender.exit_codes:
            raise FailedError(f"exit {process.returncode}: {_last_line(errors.read() or out.read())}")
        if contender.timed == "itself":
            return Run(**json.loads(out.read().splitlines()[-1]))
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES_OF_MAXRSS / 1e6)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]
