"""Databases that another program writes, or that are damaged: MLflow's and Trackio's alike."""

import os
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.model import Defect, Series
from audioloss_cli.storage.log_file import LogFile
from tests.readers.databases import add_logged, add_metrics, metric_rows, project, store

MLFLOW, TRACKIO = registry.load("readers", "mlflow"), registry.load("readers", "trackio")


def read(path: Path, reader=MLFLOW) -> tuple[dict[tuple[str, str], Series], list[Defect]]:
    items = list(reader.read(path))
    defects = [item for item in items if isinstance(item, Defect)]
    chunks: dict[tuple[str, str], list[Series]] = {}
    for item in items:
        if isinstance(item, Series):
            chunks.setdefault((item.run, item.tag), []).append(item)
    return {key: Series.join(parts) for key, parts in chunks.items()}, defects


def state(directory: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and its time."""
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in directory.iterdir()}


def test_rows_that_are_only_in_the_write_ahead_log_are_read(tmp_path):
    """While the writer has it open; nothing is written beside it, and no lock holds the writer up."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(10)))
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        add_metrics(writer, metric_rows("aa01", range(10, 20)))
        writer.execute("BEGIN")
        add_metrics(writer, metric_rows("aa01", range(20, 30)))
        before = state(tmp_path)
        assert set(before) >= {"mlflow.db", "mlflow.db-wal"}
        series, defects = read(path)
        assert state(tmp_path) == before
        writer.execute("COMMIT")
        after, _ = read(path)
    assert not defects
    assert list(series["audio/first", "audio_loss"].steps) == list(range(20))
    assert list(after["audio/first", "audio_loss"].steps) == list(range(30))


def test_a_young_database_lies_in_its_write_ahead_log_altogether(tmp_path):
    path = tmp_path / "audio.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.executescript(store_schema())
        add_metrics(writer, metric_rows("aa01", range(10)))
        assert MLFLOW.claims(LogFile(path))
        assert not TRACKIO.claims(LogFile(path))
        series, defects = read(path)
    assert not defects
    assert len(series["audio/first", "audio_loss"]) == 10


def store_schema() -> str:
    from tests.readers.databases import MLFLOW as SCHEMA

    return SCHEMA


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "IMMEDIATE"])
@pytest.mark.parametrize("journal", ["DELETE", "PERSIST", "WAL"])
def test_a_locked_database_is_read_without_waiting(tmp_path, mode, journal):
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(10)))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA journal_mode = {journal}")
        writer.execute(f"BEGIN {mode}")
        add_metrics(writer, metric_rows("aa01", range(10, 20)))
        before, start = state(tmp_path), time.monotonic()
        series, defects = read(path)
        assert time.monotonic() - start < 60
        assert state(tmp_path) == before
    assert not defects
    assert list(series["audio/first", "audio_loss"].steps) == list(range(10))


def test_what_a_killed_writer_left_half_written_is_rolled_back(tmp_path):
    """Pages that went to the file before a COMMIT that never came: the journal beside it knows the old ones."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(10)))
    program = f"""
import os, sqlite3, sys
sys.path.insert(0, {str(Path.cwd())!r})
from tests.readers.databases import add_metrics, metric_rows
writer = sqlite3.connect({str(path)!r}, isolation_level=None)
writer.execute("PRAGMA cache_size = 2")
writer.execute("BEGIN")
add_metrics(writer, metric_rows("aa01", range(10, 4000)))
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    before = state(tmp_path)
    assert "mlflow.db-journal" in before
    series, defects = read(path)
    assert state(tmp_path) == before
    assert not defects
    assert list(series["audio/first", "audio_loss"].steps) == list(range(10))


def test_a_writer_at_work_is_never_held_up(tmp_path):
    """Read again and again while another process commits with no patience for locks."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(10)))
    program = f"""
import sqlite3, sys
sys.path.insert(0, {str(Path.cwd())!r})
from tests.readers.databases import add_metrics, metric_rows
writer = sqlite3.connect({str(path)!r}, isolation_level=None, timeout=0)
writer.execute("PRAGMA journal_mode = WAL")
writer.execute("PRAGMA wal_autocheckpoint = 20")
for step in range(10, 400):
    add_metrics(writer, metric_rows("aa01", [step]))
"""
    writer = subprocess.Popen([sys.executable, "-c", program])
    counts = []
    while writer.poll() is None:
        series, defects = read(path)
        counts.append(len(series["audio/first", "audio_loss"]))
        steps = list(series["audio/first", "audio_loss"].steps)
        assert defects or steps == list(range(len(steps)))
    assert writer.wait(timeout=60) == 0
    assert counts == sorted(counts) or len(counts) < 2
    series, defects = read(path)
    assert not defects
    assert list(series["audio/first", "audio_loss"].steps) == list(range(400))


def test_a_damaged_page_costs_its_rows(tmp_path):
    """Those before and behind it are read; the rows are named, and how to recover more."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(3000), ["audio_loss"]), page=1024)
    with closing(sqlite3.connect(path)) as connection:
        leaves = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'metrics'").fetchone()
    content = bytearray(path.read_bytes())
    pages = [at for at in range(0, len(content), 1024) if content[at] == 13 and at != 1024 * (leaves[0] - 1)]
    content[pages[len(pages) // 2] : pages[len(pages) // 2] + 1024] = bytes(1024)
    path.write_bytes(content)
    series, defects = read(path)
    steps = list(series["audio/first", "audio_loss"].steps)
    assert 2900 < len(steps) < 3000
    assert steps[0] == 0
    assert steps[-1] == 2999
    [defect] = [defect for defect in defects if "row id" in defect.message]
    assert "sqlite3 mlflow.db .recover" in defect.message


def test_pages_that_are_no_more_reached_are_told(tmp_path):
    """The root of the table is another page with the same columns: all that can be read is a part of the rows."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(1000), ["audio_loss"]), page=1024)
    with closing(sqlite3.connect(path)) as connection:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'metrics'")
    content = bytearray(path.read_bytes())
    leaf = next(at for at in range(8 * 1024, len(content), 1024) if content[at] == 13)
    content[(root - 1) * 1024 : root * 1024] = content[leaf : leaf + 1024]
    path.write_bytes(content)
    series, defects = read(path)
    assert len(series["audio/first", "audio_loss"]) < 1000
    assert "rows may be lost or wrong" in defects[0].message


def test_a_database_cut_short_gives_what_is_left(tmp_path):
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(3000)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    series, defects = read(path)
    assert defects
    assert sum(map(len, series.values())) > 100


@cache
def whole_store() -> bytes:
    with TemporaryDirectory() as directory:
        return store(Path(directory, "mlflow.db"), metric_rows("aa01", range(150)), page=512).read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.binary(min_size=1, max_size=200)), min_size=1, max_size=4))
def test_damage_is_never_an_exception(tmp_path, damage):
    content = bytearray(whole_store())
    for at, noise in damage:
        start = at % len(content)
        content[start : start + len(noise)] = noise[: len(content) - start]
    (tmp_path / "mlflow.db").write_bytes(content)
    series, defects = read(tmp_path / "mlflow.db")
    assert series or defects


def test_a_database_that_is_no_log_is_not_claimed(tmp_path):
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, name TEXT, value REAL)")
        connection.execute("CREATE TABLE users (name TEXT)")
    assert not MLFLOW.claims(LogFile(path))
    assert not TRACKIO.claims(LogFile(path))


@pytest.mark.parametrize("name", ["mlflow.db", "other.db"])
def test_a_view_is_no_table(tmp_path, name):
    """It could run for ever."""
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE VIEW metrics (run_uuid, key, step, value, timestamp, is_nan) AS WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'a', 'audio_loss', i, i, i, 0 FROM n"
        )
    assert MLFLOW.claims(LogFile(path)) is (name == "mlflow.db")
    series, defects = read(path)
    assert not series
    assert [defect.message for defect in defects] == ["the database has no metrics of MLflow"]


def test_rows_of_other_types_are_told(tmp_path):
    rows = [
        *metric_rows("aa01", range(5), ["audio_loss"]),
        ("audio_loss", "text", 1, "aa01", 5, 0),
        ("audio_loss", 1.5, 1, "aa01", "no step", 0),
        (b"\xff", 1.5, 1, "aa01", 7, 0),
        ("x" * 5000, 1.5, 1, "aa01", 8, 0),
        ("audio_loss", b"blob", "no time", "aa01", 9, 0),
        ("audio_loss", 10.5, "no time", "aa01", 10, 0),
    ]
    series, defects = read(store(tmp_path / "mlflow.db", rows))
    assert list(series["audio/first", "audio_loss"].steps) == [0, 1, 2, 3, 4, 10]
    assert [defect.message.split(" and ")[0] for defect in defects] == [
        "4 rows of table metrics hold no metric",
        "1 rows of table metrics have a name of more than 4096 bytes",
    ]


def test_text_that_is_no_utf_8_costs_its_row(tmp_path):
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(50), ["audio_loss"]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE metrics SET key = CAST(x'61ff' AS TEXT) WHERE step = 20")
    series, defects = read(path)
    assert list(series["audio/first", "audio_loss"].steps) == [*range(20), *range(21, 50)]
    assert len(defects) == 1


def test_very_many_runs_and_tags_take_bounded_memory(tmp_path):
    path = store(
        tmp_path / "mlflow.db",
        [(f"k{tag}", 1.5, 1, f"run{tag % 1000}", step, 0) for step in range(20) for tag in range(10_000)],
    )
    program = """
import resource, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from audioloss_cli import registry
import audioloss_cli.readers.mlflow.database
from audioloss_cli.model import ReadOptions
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read = registry.load("readers", "mlflow").read
count = sum(len(item) for item in read(Path(sys.argv[1])))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, path], check=True, capture_output=True, text=True, timeout=300
    )
    count, memory = map(int, done.stdout.split())
    assert count == 200_000
    assert memory < 100 << 10


def test_a_copy_that_has_no_room_is_refused(tmp_path, monkeypatch):
    import shutil

    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(10)))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        add_metrics(writer, metric_rows("aa01", range(10, 20)))
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
        series, defects = read(path)
    assert not series
    [defect] = defects
    assert defect.kind == "unreadable"
    assert "TMPDIR" in defect.message


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_databases_are_read(tmp_path, suffix):
    import gzip

    from tests.storage import zstandard

    whole = store(tmp_path / "mlflow.db", metric_rows("aa01", range(2000))).read_bytes()
    path = tmp_path / f"mlflow.db{suffix}"
    path.write_bytes(gzip.compress(whole) if suffix == ".gz" else zstandard.compress(whole))
    assert MLFLOW.claims(LogFile(path))
    series, defects = read(path)
    assert not defects
    assert len(series["audio/first", "audio_loss"]) == 2000
    path.write_bytes(path.read_bytes()[:-100])
    _, defects = read(path)
    assert defects[0].kind == "compression"


def test_a_path_with_odd_characters(tmp_path):
    path = store(tmp_path / "a ?#%20é" / "mlflow.db", metric_rows("aa01", range(10)))
    series, defects = read(path)
    assert not defects
    assert len(series["audio/first", "audio_loss"]) == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_database_through_a_pipe(tmp_path):
    source = store(tmp_path / "store" / "mlflow.db", metric_rows("aa01", range(10)))
    pipe = tmp_path / "mlflow.db"
    os.mkfifo(pipe)
    program = f"open({str(pipe)!r}, 'wb').write(open({str(source)!r}, 'rb').read())"
    with subprocess.Popen([sys.executable, "-c", program]):
        from audioloss_cli.model import EVERYTHING
        from audioloss_cli.readers.mlflow.database import read_store

        items = list(read_store(pipe, EVERYTHING))
    assert all(isinstance(item, Series) for item in items)
    assert items


def test_runs_of_one_name_are_told_apart(tmp_path):
    path = tmp_path / "project.db"
    with closing(project(path)) as connection, connection:
        add_logged(connection, ("aa01", "run"), range(5), audio_loss=1.5)
        add_logged(connection, ("bb02", "run"), range(7), audio_loss=2.5)
    series, defects = read(path, TRACKIO)
    assert not defects
    assert {run: len(found) for (run, _), found in series.items()} == {"run": 5, "run (bb02)": 7}


def test_rows_of_trackio_that_hold_no_numbers_are_told(tmp_path):
    path = tmp_path / "project.db"
    with closing(project(path)) as connection, connection:
        add_logged(connection, ("aa01", "run"), range(5), audio_loss=1.5, image={"_type": "trackio.image", "size": 3})
        insert = "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES ('aa01', 'x', 'run', ?, ?)"
        connection.executemany(
            insert, [(5, "no JSON"), (6, b"[1]"), ("x", "{}"), (7, b'{"audio_loss": NaN, "step": 9}')]
        )
    series, defects = read(path, TRACKIO)
    assert set(series) == {("run", "audio_loss")}
    assert list(series["run", "audio_loss"].steps) == [0, 1, 2, 3, 4, 7]
    assert [defect.message for defect in defects] == [
        "2 rows of table metrics hold no JSON object, the first with row id 6",
        "1 rows of table metrics have no whole step, the first with row id 8",
    ]


def test_a_hostile_database_takes_bounded_time(tmp_path):
    """Inner pages that all lead to the same leaf: more rows than a disk could hold, if each way counted."""
    path = store(tmp_path / "mlflow.db", metric_rows("aa01", range(4000)), page=512)
    content = bytearray(path.read_bytes())
    for at in range(0, len(content), 512):
        if content[at] == 5:  # an inner page of a table: let all its children be the first
            cells = int.from_bytes(content[at + 3 : at + 5], "big")
            places = [int.from_bytes(content[at + 12 + 2 * i : at + 14 + 2 * i], "big") for i in range(cells)]
            for place in places:
                content[at + place : at + place + 4] = content[at + places[0] : at + places[0] + 4]
    path.write_bytes(content)
    program = "import sys; from pathlib import Path; from audioloss_cli import registry\n"
    program += "print(len(list(registry.load('readers', 'mlflow').read(Path(sys.argv[1])))))"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    done = subprocess.run(
        [sys.executable, "-c", program, path], check=True, capture_output=True, text=True, timeout=300, preexec_fn=limit
    )
    assert int(done.stdout) > 1
