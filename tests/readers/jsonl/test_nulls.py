"""A value that the log names but does not hold: when it is MISSING, and when it says nothing."""

import pytest

from audioloss_cli.model import is_missing
from tests.event_files import read

MISSING = "missing"


def points(path, tag: str = "loss") -> list[tuple[int, float | str]]:
    series, defects = read(path, "jsonl")
    assert defects == []
    if tag not in series:
        return []
    found = zip(series[tag].steps, series[tag].values, strict=True)
    return [(step, MISSING if is_missing(value) else value) for step, value in found]


def test_a_null_beside_a_new_key_is_missing(jsonl):
    """A counter of bad batches appears just when the loss turns into null."""
    path = jsonl({"step": 1, "loss": 2.0}, {"step": 2, "loss": None, "bad_batches": 1})
    assert points(path) == [(1, 2.0), (2, MISSING)]
    assert points(path, "bad_batches") == [(2, 1.0)]


def test_a_null_beside_another_null_is_missing(jsonl):
    rows = [
        {"step": 1, "loss": 2.0, "grad_norm": 0.5, "lr": 0.1},
        {"step": 2, "loss": None, "grad_norm": None, "lr": 0.1},
    ]
    assert points(jsonl(*rows)) == [(1, 2.0), (2, MISSING)]
    assert points(jsonl(*rows), "grad_norm") == [(1, 0.5), (2, MISSING)]


@pytest.mark.parametrize("blank", [None, "n/a", "", [], {}, True, [1.0] * 257])
def test_anything_but_a_number_where_numbers_were_is_missing(blank, jsonl):
    path = jsonl({"step": 1, "loss": 2.0}, {"step": 2, "loss": blank}, {"step": 3, "loss": 1.0})
    assert points(path) == [(1, 2.0), (2, MISSING), (3, 1.0)]


@pytest.mark.parametrize("blank", [None, "off", [], {}])
def test_a_blank_parent_blanks_what_was_in_it(blank, jsonl):
    path = jsonl({"step": 1, "train": {"loss": 2.0, "deep": {"er": 3}}, "lr": 1}, {"step": 2, "train": blank, "lr": 1})
    assert points(path, "train/loss") == [(1, 2.0), (2, MISSING)]
    assert points(path, "train/deep/er") == [(1, 3.0), (2, MISSING)]
    assert points(path, "train") == []


def test_a_null_list_blanks_every_codebook(jsonl):
    path = jsonl({"step": 1, "loss": [2.0, 3.0]}, {"step": 2, "loss": None}, {"step": 3, "loss": [1.0, None]})
    assert points(path, "loss/0") == [(1, 2.0), (2, MISSING), (3, 1.0)]
    assert points(path, "loss/1") == [(1, 3.0), (2, MISSING), (3, MISSING)]


def test_a_null_beside_a_number_of_the_same_name_takes_nothing_from_it(jsonl):
    """``loss`` is a column of its own, and one nested; and one whose parent is null has its number flat."""
    path = jsonl(*({"step": step, "loss": None, "loss/0": 1.0, "loss/1": 2.0} for step in (1, 2, 3)))
    assert points(path, "loss/0") == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert points(path) == []


def test_a_value_that_is_blank_twice_in_one_row_is_missing_once(jsonl):
    path = jsonl({"step": 1, "a/b": 1.0}, {"step": 2, "a": None, "a/b": None})
    assert points(path, "a/b") == [(1, 1.0), (2, MISSING)]


def test_the_closing_summary_of_llama_factory_misses_nothing(jsonl):
    blank = dict.fromkeys(["eval_loss", "predict_loss", "reward", "accuracy"])
    rows = [
        {"current_steps": step, "total_steps": 20, "loss": 2.0, **blank, "lr": 1e-4, "epoch": step / 10}
        for step in (10, 20)
    ]
    summary = {"current_steps": 20, "total_steps": 20, "loss": None, **blank, "lr": None, "epoch": 2.0}
    path = jsonl(*rows, summary)
    assert points(path) == [(10, 2.0), (20, 2.0)]
    assert points(path, "lr") == [(10, 1e-4), (20, 1e-4)]


def test_a_null_beside_a_column_that_is_blank_where_the_loss_is_not_is_none(jsonl):
    """Two kinds of row with fixed columns, though the names of neither tell."""
    train, sample = {"step": 1, "loss": 2.0, "reward": None}, {"step": 1, "loss": None, "reward": 0.5}
    path = jsonl(train, sample, train)
    assert points(path) == [(1, 2.0), (1, 2.0)]
    assert points(path, "reward") == [(1, 0.5)]


def test_a_null_loss_beside_its_learning_rate_is_missing(jsonl):
    row = {"current_steps": 10, "loss": 2.0, "eval_loss": None, "learning_rate": 1e-4}
    assert points(jsonl(row, {**row, "current_steps": 20, "loss": None})) == [(10, 2.0), (20, MISSING)]


@pytest.mark.parametrize("name", ["eval_loss", "val/loss", "Validation Loss", "test_acc", "loss_dev"])
def test_a_null_in_a_row_of_held_out_numbers_is_none(name, jsonl):
    path = jsonl({"step": 1, "loss": 2.0}, {"step": 1, "loss": None, name: 3.0})
    assert points(path) == [(1, 2.0)]


@pytest.mark.parametrize("name", ["retrieval", "latest", "medieval_loss", "devices"])
def test_a_name_that_only_contains_a_held_out_word_excuses_no_null(name, jsonl):
    path = jsonl({"step": 1, "loss": 2.0}, {"step": 2, "loss": None, name: 3.0})
    assert points(path) == [(1, 2.0), (2, MISSING)]


def test_a_key_that_was_only_ever_null_is_told_once(jsonl):
    path = jsonl(*({"step": step, "loss": 1.0, "audio_loss": None} for step in (7, 8, 9)))
    assert points(path, "audio_loss") == [(7, MISSING)]
    assert points(path) == [(7, 1.0), (8, 1.0), (9, 1.0)]


def test_a_nested_key_that_was_only_ever_null_is_told_once(jsonl):
    path = jsonl(*({"step": step, "train": {"loss": 1.0, "audio_loss": None}} for step in (7, 8)))
    assert points(path, "train/audio_loss") == [(7, MISSING)]


def test_nulls_before_the_first_number_are_none(jsonl):
    path = jsonl({"step": 1, "loss": None}, {"step": 2, "loss": None}, {"step": 3, "loss": 1.0})
    assert points(path) == [(3, 1.0)]


@pytest.mark.parametrize("value", [{"loss": 1.0}, {"deep": {"loss": 1.0}}, [1.0]])
def test_a_parent_that_was_null_before_it_held_numbers_is_no_series(value, jsonl):
    series, _ = read(jsonl({"step": 1, "train": None}, {"step": 2, "train": value}), "jsonl")
    assert [list(item.values) for item in series.values()] == [[1.0]]
    assert "train" not in series


def test_text_that_was_never_a_number_is_no_series(jsonl):
    assert set(read(jsonl(*({"step": step, "loss": 1.0, "name": "x"} for step in (1, 2))), "jsonl")[0]) == {"loss"}
