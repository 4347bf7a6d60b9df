"""Rows of a history: read in columns or alone, they say what the same rows say as JSON lines."""

import json
import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audioloss_cli.readers.wandb import columns
from tests.event_files import read
from tests.readers.bits import in_bits
from tests.readers.wandb.transaction_logs import field, history, item, log, row, rows, write

VALUES = st.one_of(
    st.floats(),
    st.integers(-(10**25), 10**25),
    st.sampled_from([None, "text", "1.5", True, [1, 2.5], [], {"inner": 2}, {"_type": "table-file", "size": 3}]),
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["audio_loss", "lr", "eval/loss", "note"]), VALUES), min_size=1, max_size=30
)


def as_json_lines(path, logged):
    """What the reader of JSON lines says of the same rows, without the media that only W&B knows."""
    media = [{key: value for key, value in row.items() if not is_media(value)} for row in logged]
    path.write_text("".join(json.dumps(row) + "\n" for row in media), encoding="utf-8")
    return read(path, "jsonl")


def is_media(value):
    return isinstance(value, dict) and "_type" in value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(0, 3), st.integers(1, 5))
@example([{"audio_loss": 1}] * 9 + [{"audio_loss": None}] + [{"lr": 1.5}] * 3, 0, 4)
@example([{"audio_loss": float("inf")}] * 5 + [{"audio_loss": 10**400}] + [{"audio_loss": -0.0}], 1, 3)
def test_it_reads_what_json_lines_of_the_same_rows_say(tmp_path, found, seed, block):
    logged = [{**values, "_step": step, "_timestamp": 1.7e9 + step} for step, values in enumerate(found)]
    rng = random.Random(seed)
    path = write(tmp_path / "run-x.wandb", [row(number, values, rng) for number, values in enumerate(logged)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_ROWS_OF_A_BLOCK", block)
        series, defects = read(path, "wandb")
    others, _ = as_json_lines(tmp_path / "rows.jsonl", logged)
    assert not defects
    for tag in set(series) | set(others):
        assert in_bits([series[tag]]) == in_bits([others[tag]]), tag


def test_both_kinds_of_names_and_the_step_beside_the_items(tmp_path):
    records = [
        history(1, [item("loss", "1.5"), item("_step", "7")]),
        history(2, [item(["loss"], "2.5")], 8),
        history(3, [item(["loss"], "3.5")], 0),
        history(4, [item(["a", "b"], "4.5"), item(["loss"], "4.5"), item(["_step"], "130")], 130),
    ]
    series, defects = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert not defects
    assert list(series["loss"].steps) == [7, 8, 0, 130]
    assert list(series["loss"].values) == [1.5, 2.5, 3.5, 4.5]
    assert list(series["a/b"].values) == [4.5]


def test_steps_that_are_none_are_told_and_the_rows_read(tmp_path):
    records = [
        history(1, [item("loss", "1"), item("_step", "5")]),
        *(history(2, [item("loss", "2"), item("_step", text)]) for text in ("5.5", '"x"', "1e300", "null")),
        history(3, [item("loss", "3")]),
    ]
    series, defects = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert list(series["loss"].steps) == [5] * 6
    assert len(defects) == 5
    assert all(defect.offset and "read as one of step 5" in defect.message for defect in defects)


def test_records_of_other_layouts_are_read(tmp_path):
    """Items behind the step, fields behind the history, a history split in two, unknown fields."""
    inner = field(2, b"\x08\x03") + item("loss", "1.5") + field(200, b"")
    records = [
        b"\x08\x01" + field(2, inner) + field(16, b"\x10\x01") + field(19, b"uuid"),
        field(16, b"\x10\x01") + field(2, item("loss", "2.5")) + field(2, item("_step", "4")),
        b"\x08\x02" + field(2, item("loss", "3.5") + field(7, b"new") + item("_step", "5")),
    ]
    series, defects = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert not defects
    assert list(series["loss"].steps) == [3, 4, 5]
    assert list(series["loss"].values) == [1.5, 2.5, 3.5]


def test_media_are_no_series(tmp_path):
    values = {"loss": 1, "_step": 1, "image": {"_type": "image-file", "size": 3}, "deep": {"er": 2}}
    typed = [item(["h", "_type"], '"histogram"'), item(["h", "bins"], "[1, 2]"), item(["h", "packed", "size"], "3")]
    records = [row(1, values), history(2, [*typed, item("loss", "2")], 2)]
    series, _ = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert set(series) == {"loss", "deep/er"}


def test_a_number_and_something_below_its_name(tmp_path):
    records = [history(1, [item(["a"], "1"), item(["a", "b"], "2"), item(["loss"], "3")], 1)] * 3
    series, _ = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert {tag: list(found.values) for tag, found in series.items()} == {"a": [1] * 3, "a/b": [2] * 3, "loss": [3] * 3}


def test_names_have_a_limit(tmp_path):
    records = [history(1, [item("x" * 5000, "1"), item("loss", "2")], 1)] * 3
    series, defects = read(write(tmp_path / "run-x.wandb", records), "wandb")
    assert set(series) == {"loss"}
    assert {defect.message for defect in defects} == {"a name of more than 4096 bytes, or of none, was skipped"}


def test_history_lines_are_rows(tmp_path):
    path = tmp_path / "wandb-history.jsonl"
    path.write_text('{"loss": 1.5, "_step": 3, "_timestamp": 1.7e9}\n{"loss": "NaN"\n{"loss": NaN, "_step": 5}\n{"lo')
    series, defects = read(path, "wandb")
    assert list(series["loss"].steps) == [3, 5]
    assert [(defect.kind, defect.line) for defect in defects] == [("malformed", 2), ("truncated", 4)]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_logs_are_read(tmp_path, suffix):
    import gzip

    from tests.storage import zstandard

    compress = gzip.compress if suffix == ".gz" else zstandard.compress
    path = tmp_path / f"run-x.wandb{suffix}"
    path.write_bytes(compress(log(rows(3000, seed=1))))
    series, defects = read(path, "wandb")
    assert not defects
    assert list(series["audio_loss"].steps) == list(range(3000))
    path.write_bytes(path.read_bytes()[:-200])
    series, defects = read(path, "wandb")
    assert "compression" in {defect.kind for defect in defects}
    assert 1000 < len(series["audio_loss"]) < 3000
