"""Metrics in files: which files they are, and lines of every kind."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.model import Defect, Series
from audioloss_cli.storage.log_file import LogFile

MLFLOW = registry.load("readers", "mlflow")
META = "run_id: abc\nlifecycle_stage: active\n"


def metric(tmp_path: Path, content: bytes, name: str = "audio_loss") -> tuple[Series | None, list[Defect]]:
    path = tmp_path / "mlruns" / "0" / "abc" / "metrics" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    items = list(MLFLOW.read(path))
    chunks = [item for item in items if isinstance(item, Series)]
    return Series.join(chunks) if chunks else None, [item for item in items if isinstance(item, Defect)]


@pytest.mark.parametrize(
    ("place", "content", "meta", "claimed"),
    [
        ("mlruns/0/abc/metrics/audio_loss", "1700000000000 4.2 0\n", "", True),
        ("mlruns/0/abc/metrics/train/audio_loss", "1700000000000 4.2 0\n", "", True),
        ("mlruns/0/abc/metrics/train/audio_loss", "1700000000000 4.2\n", "", True),
        ("elsewhere/metrics/audio_loss", "1700000000000 nan 0\n", "", True),
        ("elsewhere/metrics/audio_loss", "garbage\n", META, True),
        ("elsewhere/metrics/audio_loss", "", META, True),
        ("mlruns/0/abc/metrics/audio_loss", "1700000000000 4.2 0\n", META.replace("active", "deleted"), False),
        ("mlruns/0/models/m-1/metrics/audio_loss", "1700000000000 4.2 0\n", META, False),
        ("mlruns/0/abc/params/lr", "0.1", META, False),
        ("mlruns/0/abc/meta.yaml", META, META, False),
        ("results/metrics/scores.txt", "10 4.2 0\n", "", False),
        ("results/metrics/accuracy.json", "{}", "", False),
        ("src/metrics/loss.py", "import torch\n", "", False),
    ],
)
def test_it_claims(tmp_path, place, content, meta, claimed):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if meta:
        run = next(parent for parent in path.parents if parent.name in ("metrics", "params") or parent.name == "abc")
        (run if run.name == "abc" else run.parent).joinpath("meta.yaml").write_text(meta)
    assert MLFLOW.claims(LogFile(path)) is claimed


@pytest.mark.parametrize(
    ("path", "run"),
    [
        ("mlruns/0/abc/metrics/audio_loss", "mlruns/0/abc"),
        ("mlruns/0/abc/metrics/train/audio_loss", "mlruns/0/abc"),
        ("/data/metrics/mlruns/0/abc/metrics/metrics/x", "/data/metrics/mlruns/0/abc"),
        ("mlflow.db", "mlflow.db"),
    ],
)
def test_a_run_is_its_directory(path, run):
    assert MLFLOW.run_of(Path(path)) == Path(run)


def test_a_name_is_the_path_below_metrics(tmp_path):
    series, _ = metric(tmp_path, b"1700000000000 4.2 7\n", "eval/a b/er-1")
    assert (series.tag, series.steps[0], series.values[0], series.wall_times[0]) == ("eval/a b/er-1", 7, 4.2, 1.7e9)


def test_lines_of_every_release(tmp_path):
    lines = b"1700000000 1.5\n1700000000000 nan 3\n1700000000000 -INF 4 data digest m-1\r\n1700000000000 1e-30 5"
    series, defects = metric(tmp_path, lines)
    assert not defects
    assert list(series.steps) == [0, 3, 4, 5]
    assert repr(list(series.values)) == "[1.5, nan, -inf, 1e-30]"
    assert set(series.wall_times) == {1.7e9}


def test_bad_lines_are_told_by_stretch(tmp_path):
    good = b"".join(b"1700000000000 1.5 %d\n" % step for step in range(10))
    series, defects = metric(
        tmp_path, good + b"x\ny z\n\n" + good + b"1700000000000 . 3\n" + good + b"1700000000000 0.0"
    )
    assert len(series) == 30
    assert [(defect.kind, defect.line, defect.offset) for defect in defects] == [
        ("malformed", 11, len(good)),
        ("malformed", 24, 2 * len(good) + 7),
        ("malformed", 35, 3 * len(good) + 25),
    ]


LINES = st.one_of(
    st.builds(lambda time, value, step: f"{time} {value!r} {step}", st.integers(0, 10**13), st.floats(), st.integers()),
    st.sampled_from(["", "1 2", "1 2 3 4", "x", "1 1_0 3", "1 2 99999999999999999999", "1700000000000 4.2 3"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=20), st.booleans())
def test_lines_together_are_what_they_are_one_by_one(tmp_path, lines, ended):
    content = "\n".join(lines).encode() + (b"\n" if ended else b"")
    whole = metric(tmp_path, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audioloss_cli.model.series.POINTS_OF_A_CHUNK", 3)
        alone = metric(tmp_path, content)
    assert repr(whole) == repr(alone)


def test_a_line_of_a_megabyte(tmp_path):
    content = b"1700000000000 1.5 0\n" + b"9" * (1 << 20) + b"\n1700000000000 2.5 1\n"
    series, defects = metric(tmp_path, content)
    assert list(series.values) == [1.5, 2.5]
    assert len(defects) == 1
