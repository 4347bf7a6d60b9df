"""Lists, and keys that meet in one name."""

import pytest

from tests.event_files import read


def values(path) -> dict[str, list[float]]:
    series, defects = read(path, "jsonl")
    assert defects == []
    return {tag: list(item.values) for tag, item in series.items()}


def test_the_losses_of_the_codebooks(jsonl):
    path = jsonl({"step": 1, "audio_loss": [2.0, 3.0, "4.5"]}, {"step": 2, "audio_loss": [2.5, 3.5, 5]})
    assert values(path) == {"audio_loss/0": [2.0, 2.5], "audio_loss/1": [3.0, 3.5], "audio_loss/2": [4.5, 5.0]}


def test_lists_in_objects_in_lists(jsonl):
    path = jsonl({"step": 1, "groups": [{"lr": 0.1, "losses": [1.0, 2.0]}, {"lr": 0.2}]})
    assert values(path) == {
        "groups/0/lr": [0.1],
        "groups/0/losses/0": [1.0],
        "groups/0/losses/1": [2.0],
        "groups/1/lr": [0.2],
    }


@pytest.mark.parametrize(("length", "series"), [(256, 256), (257, 0)])
def test_a_long_list_is_no_list_of_losses(length, series, jsonl):
    found = values(jsonl({"step": 1, "loss": 1.0, "samples": [0.5] * length}))
    assert found["loss"] == [1.0]
    assert len(found) == 1 + series


def test_a_flat_and_a_nested_key_of_one_name_keep_both_values(jsonl):
    path = jsonl({"step": 1, "a/b": 1, "a": {"b": 2}}, {"step": 2, "a": {"b": 4}, "a/b": 3})
    assert values(path) == {"a/b": [1.0, 2.0, 4.0, 3.0]}
    assert list(read(path, "jsonl")[0]["a/b"].steps) == [1, 1, 2, 2]


def test_a_place_and_a_key_of_one_name_keep_both_values(jsonl):
    assert values(jsonl({"step": 1, "a": [1.0], "a/0": 2.0})) == {"a/0": [1.0, 2.0]}
