"""Databases that the installed release of Trackio writes."""

import json
import math
import os
import subprocess
import sys

import pytest

from audioloss_cli import registry
from audioloss_cli.model import Series, is_missing
from audioloss_cli.storage.log_file import LogFile

pytest.importorskip("trackio")

TRACKIO = registry.load("readers", "trackio")
TRAINING = """
import trackio

for number in range(2):
    trackio.init(project="audio", name=f"run{number}", config={"lr": 1}, embed=False)
    for step in range(60):
        row = {"audio_loss": 4 - step / 64, "train": {"text_loss": 1 / (step + 1)}, "note": "x"}
        row |= {"codebooks": [1.5, 2.5]}
        row |= {"nan": float("nan"), "inf": float("inf"), "er": None if step == 50 else 0.5} if step > 40 else {}
        trackio.log(row, step=3 * step)
    trackio.finish()
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "HOME": str(home), "TRACKIO_DIR": str(home / "trackio"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", TRAINING]
    subprocess.run(command, env=environment, cwd=home, check=True, timeout=300, capture_output=True)
    return home / "trackio"


def test_it_reads_what_was_logged(directory):
    path = directory / "audio.db"
    assert TRACKIO.claims(LogFile(path))
    before = {file.name: file.stat().st_size for file in directory.iterdir()}
    items = list(TRACKIO.read(path))
    assert {file.name: file.stat().st_size for file in directory.iterdir()} == before
    assert all(isinstance(item, Series) for item in items)
    series = {(item.run, item.tag): item for item in items}
    tags = {"audio_loss", "train/text_loss", "codebooks/0", "codebooks/1", "nan", "inf", "er"}
    assert set(series) == {(run, tag) for run in ("run0", "run1") for tag in tags}
    for run in ("run0", "run1"):
        assert list(series[run, "audio_loss"].steps) == [3 * step for step in range(60)]
        assert list(series[run, "audio_loss"].values) == [4 - step / 64 for step in range(60)]
        assert list(series[run, "train/text_loss"].values) == [1 / (step + 1) for step in range(60)]
        assert all(math.isnan(value) and not is_missing(value) for value in series[run, "nan"].values)
        assert set(series[run, "inf"].values) == {math.inf}
        assert [is_missing(value) for value in series[run, "er"].values] == [step == 50 for step in range(41, 60)]
        assert min(series[run, "audio_loss"].wall_times) > 1.7e9


def test_a_scan_finds_each_run(directory, audioloss):
    report = json.loads(audioloss("scan", directory, "--report", "json").out)
    assert [run["run"] for run in report["runs"]] == [f"{directory}/audio.db/run{number}" for number in range(2)]


def test_one_in_a_directory_of_trackio_is_claimed_though_damaged(tmp_path):
    path = tmp_path / "trackio" / "audio.db"
    path.parent.mkdir()
    path.write_bytes(b"damaged" * 100)
    assert TRACKIO.claims(LogFile(path))
    [defect] = TRACKIO.read(path)
    assert defect.kind == "not-a-log"
