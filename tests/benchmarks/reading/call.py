"""``python -m tests.benchmarks.reading.call MODULE FUNCTION PATH``: one reading, measured by its own process.

Prints one JSON object. Seconds are of the call alone, without the interpreter and its imports; CPU seconds are of all
threads and of processes that it started; the memory is the highest of the process, imports included, plus that of the
largest process that it started.
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path

# ru_maxrss counts KiB, but bytes on macOS
BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


def main(module: str, function: str, path: str) -> None:
    """Measure one call."""
    peer = importlib.import_module(f"tests.benchmarks.reading.peers.{module}")
    read = getattr(peer, function)
    cpu, start = _cpu_seconds(), time.perf_counter()
    points = read(Path(path))
    seconds = time.perf_counter() - start
    getattr(peer, "close", lambda: None)()
    figures = {"seconds": seconds, "cpu": _cpu_seconds() - cpu, "peak_mb": _peak_mb(), "points": points}
    print(json.dumps(figures), flush=True)


def _cpu_seconds() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _peak_mb() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_maxrss for usage in both) * BYTES_OF_MAXRSS / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
