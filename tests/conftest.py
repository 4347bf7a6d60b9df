"""The public doors, as fixtures; the marks of the wings, and what hypothesis tries."""

import gc
import os
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark.expression import Expression
from hypothesis import HealthCheck, settings

from audioloss_cli import cli
from tests.effort import SHARE

HERE = Path(__file__).parent
# Where the tests of each wing lie; all others are of the core, which needs no torch and no tensorboard.
WINGS = {
    "probe": (
        "probe/",
        "cli/test_probe.py",
        "test_hostile_names.py",
        "test_exit_codes.py",
        "fuzz/checkpoints/",
        "checkpoints/written/",
    ),
    "training": ("training/",),
    "reference": (
        "reference/",
        "benchmarks/test_bench_reading.py",
        "readers/mlflow/test_stores.py",
        "readers/trackio/test_project.py",
        "readers/wandb/test_releases.py",
    ),
}
OTHER_MARKS = ("exhaustive", "gpu", "hypothesis")

# Tiny models gain nothing from a second thread, and wait for it ten times as long where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Shared machines stall now and then; that says nothing about the code.
STALLS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", STALLS, derandomize=True, max_examples=100 // SHARE)
settings.register_profile("random", STALLS, print_blob=True)
settings.load_profile("same")


def wing_of(path: Path) -> str:
    """Tell the mark of a file or directory by where it lies."""
    place = path.relative_to(HERE).as_posix() + "/" * path.is_dir()
    return next((wing for wing, places in WINGS.items() if place.startswith(places)), "core")


def may_match(expression: Expression, wing: str) -> bool:
    """Tell whether a test of the wing matches ``-m``, with or without the marks that are not set by place."""
    return any(
        expression.evaluate(lambda name, marks=(wing, *others), **_: name in marks)
        for count in range(len(OTHER_MARKS) + 1)
        for others in combinations(OTHER_MARKS, count)
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the wings that ``-m`` leaves out, so that what they import need not be there."""
    if not config.option.markexpr or not collection_path.is_relative_to(HERE):
        return None
    wing = wing_of(collection_path)
    left_out = wing != "core" and not may_match(Expression.compile(config.option.markexpr), wing)
    return left_out or None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test with its wing."""
    item.add_marker(wing_of(item.path))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests that are ``sampled``, leave all but one in so many of the parameter sets to ``-m exhaustive``."""
    seen: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled is not None:
            function = item.nodeid.partition("[")[0]
            if seen[function] % sampled.args[0]:
                item.add_marker(pytest.mark.exhaustive)
            seen[function] += 1


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: trainers collect all of it at the end of each training."""
    gc.collect()
    gc.freeze()


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def audioloss(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run one command; exceptions pass through, as they would to ``__main__``."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.execute([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as JSON lines."""
    import json

    def write(*rows: object, name: str = "log.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
