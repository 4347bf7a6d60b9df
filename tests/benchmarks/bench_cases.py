"""Audioloss beside its peers on logs with a person's verdict, by exit code alone, as a gate sees them.

``python -m tests.benchmarks.bench_cases [DIRECTORY] [--gates NAME]... [--jobs N] [--list]``

DIRECTORY (or AUDIOLOSS_CASES) holds ``expected.tsv`` with a row for each log: ``path``, ``options`` of audioloss alone,
``want`` and ``kind``. A row that wants ``fail`` in any form is a fault, and is found by exit code 1; one that wants
``pass`` is healthy, and is flagged by exit code 1. Any other exit code than 0 and 1 is neither: the log was not judged.
So is one whose tool broke. Rows that want nothing but ``unreadable`` are left out. Peers read directories as they can:
one that takes a single log is given each log of a directory, and its worst exit code counts.
"""

import argparse
import csv
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.markdown import table

SECONDS = 120
EVENT_FILE = "tfevents"


class Gate(NamedTuple):
    """How a tool is asked: its command, the package that it needs, and whether it takes one log alone."""

    command: tuple[str, ...]
    package: str
    single: bool = False


GATES = {
    "audioloss": Gate(("-m", "audioloss_cli", "scan", "-q"), "audioloss_cli"),
    "losslint, any warning": Gate(("losslint", "check", "--fail-severity", "warning"), "losslint"),
    "losslint, its default": Gate(("losslint", "check"), "losslint"),
    "trainspotter, any warning": Gate(
        ("trainspotter", "analyze", "--no-color", "--fail-on", "warning"), "trainspotter", single=True
    ),
    "trainspotter, errors": Gate(
        ("trainspotter", "analyze", "--no-color", "--fail-on", "error"), "trainspotter", single=True
    ),
}


class Row(NamedTuple):
    """One log: where it is, the options for audioloss, whether it holds a fault, and its kind."""

    path: Path
    options: tuple[str, ...]
    fault: bool
    kind: str


def rows(directory: Path) -> list[Row]:
    """The logs of ``expected.tsv`` that are a fault or healthy."""
    with (directory / "expected.tsv").open(encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Row(directory / row["path"], tuple(shlex.split(row["options"] or "")), "fail" in row["want"], row["kind"])
        for row in read
        if row["want"] != "unreadable"
    ]


def exit_code(name: str, row: Row) -> int:
    """What the tool says of a log; 1 wins where it is asked of several. -1 is no answer in time, or a broken tool."""
    gate = GATES[name]
    options = row.options if name == "audioloss" else ()
    codes = [_run([*gate.command, *options, str(path)]) for path in (_logs(row.path) if gate.single else [row.path])]
    return 1 if 1 in codes else max(codes, key=abs)


def _run(arguments: Sequence[str]) -> int:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AUDIOLOSS_")}
    try:
        done = subprocess.run(
            [*_program(arguments[0]), *arguments[1:]],
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1
    broke = b"Traceback (most recent call last)" in done.stderr or b"No module named" in done.stderr
    return -1 if broke else done.returncode  # Python ends with 1 then, which says nothing of the log


def _program(name: str) -> list[str]:
    """This interpreter for its options, else the script that was installed beside it."""
    return [sys.executable, name] if name.startswith("-") else [str(Path(sys.executable).parent / name)]


def _logs(path: Path) -> Iterable[Path]:
    """The file itself; of a directory each directory of event files, and each other file."""
    if path.is_file():
        return [path]
    files = sorted(each for each in path.rglob("*") if each.is_file())
    return list(dict.fromkeys(each.parent if EVENT_FILE in each.name else each for each in files))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and each row that a gate got wrong if asked to; 2 if there is nothing to judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=os.environ.get("AUDIOLOSS_CASES"))
    parser.add_argument("--gates", nargs="+", choices=GATES, default=[*GATES], metavar="NAME", help=", ".join(GATES))
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--list", action="store_true", help="each fault that passes and each healthy log that does not")
    options = parser.parse_args(arguments)
    if options.directory is None or not (Path(options.directory) / "expected.tsv").is_file():
        print("no cases: name a directory with expected.tsv, or set AUDIOLOSS_CASES", file=sys.stderr)
        return 2
    judged, lines = rows(Path(options.directory).resolve()), []
    for name in options.gates:
        if not find_spec(GATES[name].package):
            print(f"{name} is left out: {GATES[name].package} is not installed")
            continue
        with ThreadPoolExecutor(options.jobs) as pool:
            codes = list(pool.map(lambda row, name=name: exit_code(name, row), judged))
        lines.append([name, *_figures(judged, codes)])
        if options.list:
            wrong = [(row, code) for row, code in zip(judged, codes, strict=True) if (code == 1) != row.fault]
            for row, code in wrong:
                print(f"{name}: {'fault' if row.fault else 'healthy'}: {row.path}: {code}")
    print(table(["gate", "faults found", "healthy flagged", "not judged"], lines), end="")
    return 0


def _figures(judged: Sequence[Row], codes: Sequence[int]) -> list[str]:
    counts = Counter((row.fault, code) for row, code in zip(judged, codes, strict=True))
    faults = sum(row.fault for row in judged)
    others = sum(count for (_, code), count in counts.items() if code not in (0, 1))
    return [f"{counts[True, 1]} of {faults}", f"{counts[False, 1]} of {len(judged) - faults}", f"{others}"]


if __name__ == "__main__":
    sys.exit(main())
