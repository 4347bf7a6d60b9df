"""Reading and scanning of training logs: audioloss beside what else reads them, in one run.

``python -m tests.benchmarks [--quick] [--only NAME]... [--no-peers] [--rounds N] [--data DIR] [--markdown] [--list]``

Each figure comes from a process of its own. Readers are timed inside of it, without the start of the interpreter and
imports; whole processes from start to end. Contenders take turns, so that a drift of the machine hits all; seconds are
the median of the rounds, with the least and the greatest. Where other work disturbs the machine, trust the CPU seconds.
Slow peers run once; slow readers with --quick over a tenth of the data, as though their time grew with it. Data are
seeded; the page cache is warm, and our modules are compiled beforehand, as all that is installed is. Memory is the peak
of the process, plus that of a server that it started; Linux counts no less than that of this process, 16 MB.
"times ours" is the peer's time over ours. What is not installed (``pip install -e '.[dev,bench]'``) stands in the table
as such.

--quick takes a tenth of the data, or less, and one round: it shows that everything runs, not who is fast.
"""

import argparse
import compileall
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import audioloss_cli
from tests.benchmarks.reading import tables
from tests.benchmarks.reading.measure import FailedError, Result, generate, in_turn
from tests.benchmarks.reading.works import WORKS, Work

_SLOW = 10  # times less data for slow readers, if quick


def parser() -> argparse.ArgumentParser:
    """The command line."""
    names = [work.name for work in WORKS]
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--quick", action="store_true", help="a tenth of the data, one round")
    found.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"repeatable: {', '.join(names)}")
    found.add_argument("--list", action="store_true", help="works and contenders, without running any")
    found.add_argument("--no-peers", action="store_true", help="audioloss alone")
    found.add_argument("--rounds", type=_count, help="each contender that is not slow")
    found.add_argument("--size", type=_count, help="points of each work, to try it out")
    found.add_argument("--data", type=Path, help="keep the data here for the next time; else they are removed")
    found.add_argument("--markdown", action="store_true", help="the table of the targets alone")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if ours, or the data of a work, failed."""
    options = parser().parse_args(arguments)
    works = [work for work in WORKS if not options.only or work.name in options.only]
    if options.list:
        print(*(f"{work.name}: {', '.join(one.name for one in work.contenders)}" for work in works), sep="\n")
        return 0
    compileall.compile_dir(Path(audioloss_cli.__file__).parent, quiet=2)  # some environments keep no bytecode
    outcomes: list[tuple[Work, list[Result]]] = []
    with nullcontext(options.data) if options.data else tempfile.TemporaryDirectory() as data:
        for work in works:
            try:
                outcomes.append((work, results := _measured(work, Path(data), options)))
            except FailedError as error:
                print(error, file=sys.stderr)
                return 1
            if not options.markdown:
                print(tables.of_work(work, results), flush=True)
    print(f"{'' if options.markdown else '## Targets: '}{_machine()}\n\n{tables.of_targets(outcomes)}", end="")
    return int(any(result.failure for _, results in outcomes for result in results if result.contender.ours))


def _measured(work: Work, data: Path, options: argparse.Namespace) -> list[Result]:
    """Make the data, then run the contenders over them."""
    size = options.size or (work.size // work.quick if options.quick else work.size)
    rounds = options.rounds or (1 if options.quick else work.rounds)
    contenders = [one for one in work.contenders if one.ours or not options.no_peers]
    paths = {}
    for one in contenders:
        scaled = options.quick and one.slow and one.timed == "itself"
        part = size // _SLOW if scaled else size
        place = work.place(data.resolve(), part)
        generate(work.data, part, place)
        paths[one] = place / work.path, part
    found = in_turn(
        contenders, paths, size, rounds, lambda one, turn: _progress(f"{work.name}, {turn + 1}: {one.name}")
    )
    _progress("")
    return found


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _machine() -> str:
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
