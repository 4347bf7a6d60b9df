"""Databases with the tables of MLflow and Trackio, where the real writer would not write what a test needs."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

MLFLOW = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL);
CREATE TABLE runs (
    run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), lifecycle_stage VARCHAR(20), experiment_id INTEGER);
CREATE TABLE metrics (
    key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid VARCHAR(32) NOT NULL,
    step BIGINT DEFAULT 0 NOT NULL, is_nan BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
INSERT INTO experiments VALUES (1, 'audio');
INSERT INTO runs VALUES ('aa01', 'first', 'active', 1), ('bb02', 'second', 'active', 1), ('cc03', 'x', 'deleted', 1);
"""
TRACKIO = """
CREATE TABLE metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
    step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT);
"""
# Key, value, milliseconds, run, step, whether it is NaN.
MetricRow = tuple[object, object, object, object, object, object]


def metric_rows(run: str, steps: Iterable[int], keys: Iterable[str] = ("audio_loss", "lr", "epoch")) -> list[MetricRow]:
    return [(key, step + 0.5, 1_700_000_000_000 + step, run, step, 0) for step in steps for key in keys]


def add_metrics(connection: sqlite3.Connection, rows: Iterable[MetricRow]) -> None:
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)


def store(path: Path, rows: Iterable[MetricRow], *, page: int = 4096) -> Path:
    """A store of MLflow with these rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA page_size = {page}")
        connection.executescript(MLFLOW)
        add_metrics(connection, rows)
    return path


def add_logged(connection: sqlite3.Connection, run: tuple[str, str], steps: Iterable[int], **logged: object) -> None:
    """Rows of Trackio: the id and the name of the run, the same numbers in each row."""
    connection.executemany(
        "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)",
        [(run[0], f"2026-01-01T00:{step % 60:02}:00+00:00", run[1], step, json.dumps(logged)) for step in steps],
    )


def project(path: Path, *, page: int = 4096) -> sqlite3.Connection:
    """A project of Trackio without rows, open."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA page_size = {page}")
    connection.executescript(TRACKIO)
    return connection


def healthy_store() -> bytes:
    """Two runs, one of which goes back, a deleted one, and values that a float has no digits for."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(MLFLOW)
    add_metrics(connection, metric_rows("aa01", [*range(1, 20)]) + metric_rows("cc03", range(3)))
    add_metrics(connection, [*metric_rows("bb02", range(1, 20)), ("nan", 0, 1, "bb02", 3, 1)])
    add_metrics(connection, [("inf", 1.7976931348623157e308, 1, "bb02", 3, 0), ("a/b", 3, 1, "bb02", 3, 0)])
    connection.commit()
    return bytes(connection.serialize())


def healthy_project() -> bytes:
    """Two runs with nested numbers, text, a null, and NaN as Trackio spells it."""
    connection = project(Path(":memory:"))
    add_logged(connection, ("aa01", "first"), range(20), audio_loss="NaN", train={"lr": 0.5}, note="x", er=1.5)
    add_logged(connection, ("bb02", "first"), range(20), audio_loss=2.5, image={"_type": "trackio.image", "width": 3})
    add_logged(connection, ("bb02", "first"), range(20, 22), audio_loss=None)
    connection.commit()
    return bytes(connection.serialize())
