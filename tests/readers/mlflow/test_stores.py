"""Stores that the installed release of MLflow writes: files, and a database; compared with what its client reads."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.storage.log_file import LogFile

pytest.importorskip("mlflow")

MLFLOW = registry.load("readers", "mlflow")
TRAINING = """
import json, sys
import mlflow
from mlflow.tracking import MlflowClient

uri, out = sys.argv[1:]
mlflow.set_tracking_uri(uri)
mlflow.set_experiment("audio")
names = []
for number in range(3):
    with mlflow.start_run(run_name=f"run{number}") as run:
        names.append(run.info.run_id)
        mlflow.log_param("lr", 0.1)
        for step in [*range(12), *range(9, 15)]:
            row = {"audio_loss": 4 - step / 64, "train/text_loss": 1 / (step + 1), "eval/a b/er-1": 1e-30}
            row |= {"metrics/x": 2, "nan": float("nan")}
            row |= {"inf": float("inf"), "minus": float("-inf")} if step > 5 else {}
            mlflow.log_metrics(row, step=step)
client = MlflowClient()
client.delete_run(names[2])
found = {}
for run in names[:2]:
    for key in client.get_run(run).data.metrics:
        points = client.get_metric_history(run, key)
        found[f"{run} {key}"] = [[point.timestamp, point.step, repr(point.value)] for point in points]
json.dump(found, open(out, "w"))
"""


def train(home: Path, uri: str) -> dict[str, list]:
    """Points in milliseconds, step and value by run and key, as MLflow's own client reads them."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    command = [sys.executable, "-W", "ignore", "-c", TRAINING, uri, "found.json"]
    subprocess.run(command, env=environment, cwd=home, check=True, timeout=300, capture_output=True)
    return json.loads((home / "found.json").read_text(encoding="utf-8"))


def points(series) -> list:
    rows = zip(series.wall_times, series.steps, series.values, strict=True)
    return sorted([round(time * 1000), step, repr(value)] for time, step, value in rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    home = tmp_path_factory.mktemp("files")
    return home, train(home, f"file://{home}/mlruns")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")
    home = tmp_path_factory.mktemp("database")
    return home, train(home, f"sqlite:///{home}/mlflow.db")


def test_a_file_store_is_read_as_its_client_reads_it(files):
    home, found = files
    ours = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file() and MLFLOW.claims(LogFile(path))):
        [series] = MLFLOW.read(path)
        ours[f"{MLFLOW.run_of(path).name} {series.tag}"] = points(series)
    assert ours == {key: sorted(rows) for key, rows in found.items()}
    assert len(found) == 2 * 7


def test_a_database_is_read_as_its_client_reads_it(database):
    home, found = database
    assert MLFLOW.claims(LogFile(home / "mlflow.db"))
    names = dict.fromkeys(key.split(" ")[0] for key in found)
    labels = dict(zip(names, ("audio/run0", "audio/run1"), strict=True))
    ours = {}
    for series in MLFLOW.read(home / "mlflow.db"):
        ours[series.run, series.tag] = points(series)
    expected = {(labels[key.split(" ")[0]], key.split(" ", 1)[1]): sorted(rows) for key, rows in found.items()}
    # MLflow's client gives back the largest float for infinity, which is how the database has it.
    largest = repr(sys.float_info.max)
    finite = {"inf": largest, "-inf": f"-{largest}"}
    ours = {key: [[time, step, finite.get(value, value)] for time, step, value in rows] for key, rows in ours.items()}
    as_written = {key: [[t, s, finite.get(v, v)] for t, s, v in rows] for key, rows in expected.items()}
    assert ours == as_written


def test_infinity_is_no_number_in_either(files, database):
    for home in (files[0], database[0]):
        values = {
            value
            for path in home.rglob("*")
            if path.is_file() and MLFLOW.claims(LogFile(path))
            for series in MLFLOW.read(path)
            if series.tag in ("inf", "minus")
            for value in series.values
        }
        assert values == {math.inf, -math.inf}


@pytest.mark.parametrize("store", ["files", "database"])
def test_a_scan_finds_each_run_once(store, request, audioloss):
    home, _ = request.getfixturevalue(store)
    report = json.loads(audioloss("scan", home, "--report", "json", "--format", "mlflow").out)
    assert len(report["runs"]) == 2
    assert all("audio_loss" in {series["tag"] for series in run["series"]} for run in report["runs"])
    assert not any(run["defects"] for run in report["runs"])
