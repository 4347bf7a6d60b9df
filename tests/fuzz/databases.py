"""``python -m tests.fuzz.databases [--seconds N] [--seed S [--only N]]``: damaged databases of MLflow and Trackio.

A store with pages of any size is damaged: bytes flipped, pages swapped, cut out, overwritten, the end cut off. There
must be no exception and no hang, and rows that are lost must be told. (A number that changed on its page is a number:
SQLite has no checksums.)
"""

import random
import sqlite3
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from audioloss_cli import registry
from audioloss_cli.model import Defect
from tests.fuzz._run import Case, Target, main
from tests.readers.databases import MLFLOW, add_logged, add_metrics, metric_rows, project

READERS = {"mlflow.db": registry.load("readers", "mlflow"), "project.db": registry.load("readers", "trackio")}
PAGES = (512, 1024, 4096, 65536)


class Truth(NamedTuple):
    """How many points there were."""

    points: int


@cache
def whole(name: str, page: int, rows: int) -> tuple[bytes, int]:
    """A database without damage, and how many points it has."""
    if name == "mlflow.db":
        connection = sqlite3.connect(":memory:")
        connection.execute(f"PRAGMA page_size = {page}")
        connection.executescript(MLFLOW)
        add_metrics(connection, metric_rows("aa01", range(rows)) + metric_rows("bb02", range(rows)))
        points = 6 * rows
    else:
        connection = project(Path(":memory:"), page=page)
        for run in ("aa01", "bb02"):
            add_logged(connection, (run, f"run {run}"), range(rows), audio_loss=1.5, train={"lr": 0.5})
        points = 4 * rows
    connection.commit()
    return bytes(connection.serialize()), points


def make(rng: random.Random) -> Case:
    """One database and what was done to it."""
    name, page = rng.choice(list(READERS)), rng.choice(PAGES)
    content, points = whole(name, page, rng.choice([1, 20, 300]))
    damaged, made = bytearray(content), [f"{page}"]
    made += [_damage(damaged, page, rng) for _ in range(rng.choice([0, 1, 1, 2, 5]))]
    return Case(name, bytes(damaged), Truth(points), ", ".join(made))


def _damage(content: bytearray, page: int, rng: random.Random) -> str:
    at = rng.randrange(len(content))
    start, other = at // page * page, rng.randrange(len(content)) // page * page
    kind = rng.choice(["flip", "flip", "byte", "header", "noise", "page", "swap", "copy", "cut out", "cut off"])
    if kind == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif kind == "byte":
        content[at] = rng.choice([0, 1, 2, 5, 10, 13, 127, 128, 255])
    elif kind == "header":  # of a page, or of the file
        place = rng.choice([start + rng.randrange(12), rng.randrange(100)])
        content[min(place, len(content) - 1)] = rng.choice([0, 1, 2, 5, 10, 13, 127, 128, 255])
    elif kind == "noise":
        size = min(rng.randint(1, 300), len(content) - at)
        content[at : at + size] = rng.randbytes(size)
    elif kind == "page":
        content[start : start + page] = bytes(page)
    elif kind in ("swap", "copy"):
        one, two = content[start : start + page], content[other : other + page]
        if len(one) == len(two):
            content[start : start + page] = two
            content[other : other + page] = one if kind == "swap" else two
    elif kind == "cut out":
        del content[start : start + page]
    else:
        del content[at:]
    if not content:
        content += b"SQLite format 3\0"
    return f"{kind} at {at}"


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    """Count what is read, and what is told."""
    points, defects = 0, 0
    for found in READERS[case.name].read(path):
        defects += isinstance(found, Defect)
        points += 0 if isinstance(found, Defect) else len(found)
    if points < case.truth.points and not defects:
        return [f"lost without a word: {case.truth.points - points} of {case.truth.points}"], None
    return [], None


def warm_up() -> None:
    """Import what reading imports."""
    with tempfile.TemporaryDirectory() as directory:
        for name, reader in READERS.items():
            path = Path(directory, name)
            path.write_bytes(whole(name, 512, 20)[0])
            list(reader.read(path))


TARGET = Target(make, judge, warm_up, lambda path: ["scan", str(path), "--allow-defects"])

if __name__ == "__main__":
    sys.exit(main(TARGET, "databases"))
