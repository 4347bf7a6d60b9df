"""Files that the installed release of wandb writes, and what its own reader prints of them."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.model import is_missing
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read

pytest.importorskip("wandb")

TRAINING = """
import sys
import wandb

run = wandb.init(mode="offline", project="p", dir=sys.argv[1], id="k3x8a2q1")
for step in range(120):
    row = {"audio_loss": 4 - step / 64, "train": {"text_loss": 1 / (step + 1)}, "lr": 1e-4, "note": "x"}
    row |= {"nan": float("nan"), "inf": float("-inf")} if step >= 60 else {}
    row |= {"er": None if step == 70 else 0.5, "image/h": wandb.Histogram([1, 2, step])} if step % 7 == 0 else {}
    run.log(row, step=3 * step)
run.finish()
"""
# Offline, without a home of its own, and silent.
ENVIRONMENT = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_API_KEY": "x" * 40}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """The ``wandb`` directory of one training."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, **ENVIRONMENT, "HOME": str(home), "XDG_CACHE_HOME": str(home)}
    command = [sys.executable, "-c", TRAINING, str(home)]
    subprocess.run(command, env=environment, cwd=home, check=True, timeout=300, capture_output=True)
    return home / "wandb"


@pytest.fixture(scope="module")
def inspected(directory) -> Path:
    """What ``wandb leet inspect --json`` prints of it."""
    if not hasattr(pytest.importorskip("wandb.cli.cli"), "leet"):
        pytest.skip("a release without leet")
    path = directory.parent / "inspected.json"
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(directory / "latest-run")]
    environment = {**os.environ, **ENVIRONMENT, "HOME": str(directory.parent)}
    with path.open("wb") as out:
        done = subprocess.run(command, env=environment, stdout=out, stderr=subprocess.PIPE, timeout=300, check=False)
    if done.returncode or not path.stat().st_size:
        pytest.skip(f"leet inspect is of another release: {done.stderr[-200:]!r}")
    return path


def log_in(directory: Path) -> Path:
    [path] = directory.glob("offline-run-*/*.wandb")
    return path


def test_it_reads_what_was_logged(directory):
    series, defects = read(log_in(directory), "wandb")
    assert not defects
    assert set(series) == {"audio_loss", "train/text_loss", "lr", "nan", "inf", "er", "_timestamp", "_runtime"}
    steps = [3 * step for step in range(120)]
    assert list(series["audio_loss"].steps) == steps
    assert list(series["audio_loss"].values) == [4 - step / 64 for step in range(120)]
    assert list(series["train/text_loss"].values) == [1 / (step + 1) for step in range(120)]
    assert list(series["nan"].steps) == steps[60:]
    assert all(math.isnan(value) and not is_missing(value) for value in series["nan"].values)
    assert set(series["inf"].values) == {-math.inf}
    assert [is_missing(value) for value in series["er"].values] == [step == 70 for step in range(0, 120, 7)]
    assert list(series["audio_loss"].wall_times) == list(series["_timestamp"].values)


def test_it_reads_what_leet_prints(directory, inspected):
    """Joined with dots, as leet prints the parts of a name."""
    assert registry.load("readers", "wandb").claims(LogFile(inspected))
    printed, defects = read(inspected, "wandb")
    assert not defects
    logged, _ = read(log_in(directory), "wandb")
    assert {tag.replace(".", "/") for tag in printed} == set(logged)
    for tag, series in printed.items():
        other = logged[tag.replace(".", "/")]
        assert repr((list(series.steps), list(series.values), list(series.wall_times))) == repr(
            (list(other.steps), list(other.values), list(other.wall_times))
        )


def test_the_rows_that_leet_prints_are_ours(directory, inspected):
    """The numbers of leet, taken apart here rather than by the reader."""
    lines = [json.loads(line) for line in inspected.read_text(encoding="utf-8").splitlines()]
    rows = [line["history"]["item"] for line in lines if line["type"] == "history"]
    series, _ = read(log_in(directory), "wandb")
    assert list(series["audio_loss"].values) == [row["audio_loss"] for row in rows]
    assert list(series["_runtime"].values) == [row["_runtime"] for row in rows]


def test_a_directory_of_runs_is_read_once(directory, audioloss):
    """Not once more through ``latest-run``, and under the name of the run."""
    ran = audioloss("scan", directory, "--report", "json", "--format", "wandb")
    runs = json.loads(ran.out)["runs"]
    assert [Path(run["run"]).name for run in runs] == [log_in(directory).parent.name]
    latest = json.loads(audioloss("scan", directory / "latest-run", "--report", "json", "--format", "wandb").out)
    assert [len(run["series"]) for run in latest["runs"]] == [len(run["series"]) for run in runs]


@pytest.mark.parametrize("size", [100, 32768, 40000])
def test_a_log_that_was_cut_off_gives_all_before(directory, tmp_path, size):
    content = log_in(directory).read_bytes()
    path = tmp_path / "run-x.wandb"
    path.write_bytes(content[:size])
    whole, _ = read(log_in(directory), "wandb")
    series, defects = read(path, "wandb")
    assert [defect.kind for defect in defects] in ([], ["truncated"])
    for tag, part in series.items():
        assert list(part.steps) == list(whole[tag].steps)[: len(part)]
