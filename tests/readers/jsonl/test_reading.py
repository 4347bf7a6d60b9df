"""JSON lines of every kind that loggers write."""

import gzip
import json
import math
from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.model import is_missing, series
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read
from tests.storage.zstandard import compress

jsonl_reader = registry.load("readers", "jsonl")


def points(path: Path, tag: str = "loss") -> list[tuple[int, float]]:
    series, defects = read(path, "jsonl")
    assert defects == []
    return list(zip(series[tag].steps, series[tag].values, strict=True))


def test_nested_keys_are_joined(jsonl):
    path = jsonl({"step": 1, "train": {"loss": 2.0, "deep": {"er": 3}}}, {"step": 2, "train": {"loss": 2.5}})
    series, _ = read(path, "jsonl")
    assert {tag: list(item.values) for tag, item in series.items()} == {
        "train/loss": [2.0, 2.5],
        "train/deep/er": [3.0],
    }


@pytest.mark.parametrize(
    "key", ["step", "global_step", "iteration", "iter", "_step", "current_steps", "train_step", "trainer/global_step"]
)
def test_the_step_under_any_of_its_names(key, jsonl):
    assert points(jsonl(*({key: step, "loss": 1.0, "epoch": 0.5} for step in (10, 20)))) == [(10, 1.0), (20, 1.0)]
    assert read(jsonl({key: 10, "loss": 1.0}), "jsonl")[0]["loss"].step_source == "step"


def test_the_first_name_wins(jsonl):
    path = jsonl({"iter": 5, "step": 50, "loss": 1.0}, {"iter": 6, "step": 60, "loss": 1.0})
    assert [step for step, _ in points(path)] == [50, 60]


def test_epoch_only_logs(jsonl):
    path = jsonl({"epoch": 3, "loss": 1.0}, {"epoch": 4.0, "loss": 1.0})
    assert [step for step, _ in points(path)] == [3, 4]
    assert read(path, "jsonl")[0]["loss"].step_source == "epoch"


def test_fractional_epochs_are_no_steps(jsonl):
    path = jsonl({"epoch": 0.5, "loss": 1.0}, {"epoch": 1.0, "loss": 1.0})
    assert [step for step, _ in points(path)] == [1, 2]
    assert read(path, "jsonl")[0]["loss"].step_source == "line"


def test_no_step_at_all_is_the_line_number(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('\n{"loss": 1}\n\n{"loss": 2}\n')
    assert points(path) == [(2, 1.0), (4, 2.0)]


def test_a_row_without_a_step_keeps_the_last_one(jsonl):
    assert points(
        jsonl({"step": 5, "lr": 1}, {"loss": 1.0}, {"step": None, "loss": 2.0}, {"step": 9, "loss": 3.0})
    ) == [
        (5, 1.0),
        (5, 2.0),
        (9, 3.0),
    ]


def test_numbers_that_are_no_numbers(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"step":1,"loss":NaN}\n{"step":2,"loss":Infinity}\n{"step":3,"loss":-Infinity}\n{"step":4,"loss":"NaN"}\n'
    )
    values = [value for _, value in points(path)]
    assert math.isnan(values[0])
    assert values[1:3] == [math.inf, -math.inf]
    assert math.isnan(values[3])
    assert not is_missing(values[0])


def test_numbers_in_strings_count_and_other_things_do_not(jsonl):
    path = jsonl(
        {"step": "7", "loss": "1.25", "name": "run-3", "date": "2024-01-01", "ok": True, "list": [1.0], "": "1e-3"}
    )
    series, _ = read(path, "jsonl")
    assert {tag: list(zip(item.steps, item.values, strict=True)) for tag, item in series.items()} == {
        "loss": [(7, 1.25)],
        "list/0": [(7, 1.0)],
        "": [(7, 0.001)],
    }


def test_numbers_beyond_float64(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"step":1,"loss":{10**400}}}\n{{"step":2,"loss":-1e999}}\n')
    assert points(path) == [(1, math.inf), (2, -math.inf)]


def test_a_null_where_numbers_were_is_missing(jsonl):
    path = jsonl(
        {"step": 1, "loss": None, "lr": 1}, {"step": 2, "loss": 1.0, "lr": 1}, {"step": 3, "loss": None, "lr": 1}
    )
    (_, first), (step, second) = points(path)
    assert (first, step, is_missing(second)) == (1.0, 3, True)


def test_nulls_of_an_evaluation_row_are_none(jsonl):
    """LLaMA-Factory writes every column in every row."""
    train = {"current_steps": 1, "loss": 1.0, "eval_loss": None, "lr": 0.1}
    evaluation = {"current_steps": 1, "loss": None, "eval_loss": 2.0, "lr": None}
    assert points(jsonl(train, evaluation, train)) == [(1, 1.0), (1, 1.0)]
    assert points(jsonl(train, evaluation, train), "eval_loss") == [(1, 2.0)]


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ({"timestamp": 1.7e9}, 1.7e9),
        ({"timestamp": 1.7e12}, 1.7e9),
        ({"_timestamp": 1.7e15}, 1.7e9),
        ({"at": "2023-11-14T22:13:20"}, 1.7e9),
        ({"timestamp": "2023-11-14T23:13:20+01:00"}, 1.7e9),
        ({"time": 0.5, "wall_time": 1.7e9}, 1.7e9),
    ],
)
def test_wall_times(row, seconds, jsonl):
    assert list(read(jsonl({"step": 1, "loss": 1.0, **row}), "jsonl")[0]["loss"].wall_times) == [seconds]


@pytest.mark.parametrize("row", [{"time": 0.5}, {"timestamp": "noon"}, {"timestamp": math.inf}, {}])
def test_no_wall_time(row, jsonl):
    assert math.isnan(read(jsonl({"step": 1, "loss": 1.0, **row}), "jsonl")[0]["loss"].wall_times[0])


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, compress])
def test_boms_newlines_blank_lines_and_compression(newline, bom, pack, tmp_path):
    rows = [json.dumps({"step": step, "loss": 1.0}).encode() for step in range(5)]
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack(bom + newline.join([*rows[:2], b"", b"  ", *rows[2:]])))
    assert [step for step, _ in points(path)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf\n", b"\xef\xbb\xbf\r\n", b"\xef\xbb\xbf  \n\n", b"\n\n"])
def test_a_byte_order_mark_before_an_empty_line_is_no_defect(start, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(start + b'{"step": 1, "loss": 1.0}\n')
    series, defects = read(path, "jsonl")
    assert (list(series["loss"].steps), defects) == ([1], [])


@pytest.mark.parametrize("pack", [gzip.compress, compress])
def test_compressed_members_one_after_the_other(pack, tmp_path):
    path = tmp_path / "x.jsonl.any"
    path.write_bytes(b"".join(pack(json.dumps({"step": step, "loss": 1.0}).encode() + b"\n") for step in range(50)))
    assert len(points(path)) == 50


def test_large_files_come_in_chunks(jsonl, monkeypatch):
    monkeypatch.setattr(series, "POINTS_OF_A_CHUNK", 10)
    path = jsonl(*({"step": step, "loss": 1.0} for step in range(35)))
    assert [len(chunk) for chunk in jsonl_reader.read(path)] == [10, 10, 10, 5]


@pytest.mark.parametrize(
    ("name", "text", "claimed"),
    [
        ("a.jsonl", "", True),
        ("a.ndjson.gz", "", True),
        ("a.jsonl.zst", "", True),
        ("log.txt", '{"a": 1}\n{"a": 2}\n', True),
        ("metrics.json", '\ufeff{"a": 1}\n\n{"a": 2}\n', True),
        ("metrics.json", '{"a": 1}\n', False),
        ("config.json", '{\n  "a": 1\n}\n', False),
        ("train.log", "step 1\nstep 2\n", False),
        ("train.log", "[1]\n[2]\n", False),
        ("data.csv", '{"a": 1}\n{"a": 2}\n', False),
        ("jsonl", "", False),
    ],
)
def test_what_is_claimed(name, text, claimed, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert jsonl_reader.claims(LogFile(tmp_path / name)) is claimed


def test_a_compressed_text_is_looked_into(tmp_path):
    (tmp_path / "log.txt.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert jsonl_reader.claims(LogFile(tmp_path / "log.txt.gz"))
