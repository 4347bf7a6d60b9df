import sys
from pathlib import Path

import pytest
import torch

from audioloss_cli.probe.data import BatchSource, open_data
from audioloss_cli.probe.errors import UnreadableError, UsageError

FACTORIES = "tests.probe.data.factories"


def opened(name: str, count: int = 2, **arguments: object) -> BatchSource:
    return open_data(f"{FACTORIES}:{name}", arguments=arguments, count=count)


def valid(batches: list) -> list[int]:
    return [int((batch["audio_labels"][..., 0] != -100).sum()) for batch in batches]


def first_ids(batches: list) -> list[int]:
    return [int(batch["input_ids"].flatten()[0]) for batch in batches]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("size", [1, None])
def test_a_collator_that_masks_in_place_shows_in_the_second_pass(stream: bool, size: int | None) -> None:
    source = opened("masking_loader", stream=stream, size=size)
    assert valid(source.batches) == [4, 4]
    assert source.again is not None
    second = source.again()
    assert valid(second) == [3, 3]
    assert valid(source.again()) == [2, 2]
    assert valid(source.batches) == [4, 4], "the first pass was a view of the cached samples"
    assert valid(second) == [3, 3]


def test_workers_are_not_used_and_that_is_said() -> None:
    source = opened("masking_loader", workers=2)
    assert source.notes == ["num_workers=2 was not used: the samples were collated in this process."]
    assert valid(source.again()) == [3, 3]
    assert source.kind == "DataLoader over Cached"


def test_the_second_pass_has_the_same_samples_and_random_numbers() -> None:
    source = opened("shuffled_loader", count=3)
    before = torch.get_rng_state()
    again = source.again()
    for first, second in zip(source.batches, again, strict=True):
        assert torch.equal(first["input_ids"], second["input_ids"])
        assert torch.equal(first["start"], second["start"])
    assert torch.equal(torch.get_rng_state(), before)
    assert len({int(batch["start"]) for batch in source.batches}) > 1


def test_the_last_incomplete_batch_of_a_stream_is_dropped_where_the_loader_says_so() -> None:
    source = opened("short_stream_loader")
    assert first_ids(source.batches) == [0]
    assert source.notes == ["2 batches were asked for, 1 found."]


def test_a_loader_with_its_own_iter_is_left_to_it() -> None:
    source = opened("own_loader")
    assert [batch["extra"] for batch in source.batches] == [1, 1]
    assert source.again is None
    assert source.notes == ["OwnLoader has an __iter__ of its own, so its samples cannot be collated twice."]


def test_samples_are_stacked_and_that_is_said() -> None:
    source = opened("cached")
    assert [batch["input_ids"].tolist() for batch in source.batches] == [[[0] * 5, [1] * 5], [[2] * 5, [3] * 5]]
    assert source.batches[0]["audio_labels"].shape == (2, 5, 2)
    assert source.notes == ["The dataset has no collator: 2 samples a batch were stacked by torch's default_collate."]
    assert first_ids(source.again()) == [0, 2]


def test_an_odd_dataset_ends_in_a_smaller_batch() -> None:
    assert [len(batch["input_ids"]) for batch in open_data(f"{FACTORIES}:cached", count=2).batches] == [2, 2]
    assert [len(batch["input_ids"]) for batch in open_data(f"{FACTORIES}:plain", count=2).batches] == [2, 1]


def test_lists_numbers_arrays_and_text_of_samples() -> None:
    (batch,) = opened("plain", count=1).batches
    assert batch["input_ids"].tolist() == [[0, 0], [1, 1]]
    assert batch["gain"].tolist() == [0.5, 0.5]
    assert batch["wave"].dtype == torch.float32
    assert batch["text"] == ["ab", "ab"]
    assert batch["none"] is None


def test_a_datasets_own_collator_is_used() -> None:
    source = opened("samples_with_collator")
    assert [batch["count"] for batch in source.batches] == [2, 2]
    assert source.notes == ["The dataset's own collator made batches of 2 samples."]


@pytest.mark.parametrize("name", ["stream_of_batches", "batches"])
def test_ready_batches_are_taken_as_they_are_and_can_be_had_again(name: str) -> None:
    source = opened(name)
    assert first_ids(source.batches) == [0, 1]
    assert source.batches[0]["input_ids"].shape == (1, 3)
    assert first_ids(source.again()) == [0, 1]
    assert source.notes == []


def test_single_samples_of_a_stream_are_stacked() -> None:
    source = opened("stream_of_samples")
    assert [batch["input_ids"].tolist() for batch in source.batches] == [[[0] * 5, [1] * 5], [[2] * 5]]
    assert first_ids(source.again()) == [0, 2]
    assert len(source.notes) == 1


def test_a_streams_own_collator_is_used() -> None:
    assert [batch["count"] for batch in opened("stream_with_collator").batches] == [2, 1]


def test_a_generator_cannot_be_had_again() -> None:
    source = opened("generator")
    assert first_ids(source.batches) == [0, 1]
    assert source.again is None


def test_a_stream_that_goes_on_gives_no_second_pass() -> None:
    source = opened("same_stream")
    assert first_ids(source.batches) == [0, 1]
    assert source.again() == []


def test_a_buffer_that_is_written_anew_gives_different_batches() -> None:
    assert first_ids(opened("generator", count=3, buffer=True).batches) == [0, 1, 2]


@pytest.mark.parametrize(
    "name", ["feature", "dataclass_batches", "named_tuple", "has_data", "has_to_dict", "one_batch"]
)
def test_batches_of_any_class_become_dicts(name: str) -> None:
    source = opened(name, count=1)
    (batch,) = source.batches
    assert type(batch) is dict
    assert batch["input_ids"].ndim == 2
    assert "never" not in batch
    assert source.notes == []


def test_a_dataset_dict_gives_its_training_split(tmp_path: object) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"input_ids": [[1, 2], [3, 4]]})
    datasets.DatasetDict({"test": rows, "train": rows.select([1])}).save_to_disk(str(tmp_path))
    source = open_data("datasets:load_from_disk", arguments={"dataset_path": str(tmp_path)})
    assert source.batches[0]["input_ids"].tolist() == [[3, 4]]
    assert source.notes[0] == "The split 'train' was used, of test, train."


def test_what_the_users_code_prints_stays_out_of_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    opened("chatty", count=1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "loading\n"
    assert sys.stdout is not sys.stderr


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("number", UsageError, "gave a int; it must give a DataLoader, a dataset, an iterable of batches or one batch"),
        ("fails", UsageError, "failed: ValueError: two lines"),
        ("tensors", UnreadableError, "found a Tensor where a batch must be; make it a dict of tensors"),
        ("numbered_keys", UnreadableError, "the keys of a batch must be names"),
        ("ragged", UnreadableError, "differ in length ('input_ids' is [5] and [7]); name a factory"),
        ("uneven", UnreadableError, "its samples differ in their entries; name a factory"),
        ("broken_collator", UnreadableError, "KeyError in the dataset or its collate_fn at "),
        ("leaves", UnreadableError, "SystemExit in the dataset or its collate_fn at "),
    ],
)
def test_errors_are_one_line(name: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        opened(name)
    assert str(caught.value).startswith(f"--data '{FACTORIES}:{name}'")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_exception_is_blamed_on_the_users_line() -> None:
    with pytest.raises(UnreadableError) as caught:
        opened("broken")
    where = sys.modules[FACTORIES].__file__
    lines = Path(where).read_text(encoding="utf-8").splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if "no\\n  audio" in text)
    expected = f"TypeError in the dataset or its collate_fn at {where}:{line}: no audio"
    assert str(caught.value) == f"--data '{FACTORIES}:broken': {expected}"


def test_an_exception_in_the_second_pass_is_told_the_same_way() -> None:
    source = opened("breaks_later", count=1)
    with pytest.raises(UnreadableError, match=r"AssertionError in the dataset or its collate_fn at .*py:\d+$"):
        source.again()


@pytest.mark.parametrize(("name", "arguments"), [("batches", {"count": 0}), ("cached", {"count": 0})])
def test_nothing_at_all_is_an_error(name: str, arguments: dict[str, int]) -> None:
    with pytest.raises(UnreadableError, match="gives no batch; name one that holds at least one"):
        open_data(f"{FACTORIES}:{name}", arguments=arguments)


@pytest.mark.parametrize("what", ["nowhere/batch.pt", "s3://bucket/batch.pt", "package.module"])
def test_what_is_neither_a_file_nor_an_import_string(what: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        open_data(what)
    assert "there is no such file; an import string has the form 'package.module:factory'" in str(caught.value)


def test_a_path_that_cannot_be_reached() -> None:
    with pytest.raises(UnreadableError, match=r"cannot be reached \(File name too long\)"):
        open_data("a" * 5000)


@pytest.mark.parametrize("name", ["keyed", "loader_of_keyed"])
def test_an_object_with_keys_is_a_batch_though_it_iterates_over_its_names(name: str) -> None:
    batch = opened(name, count=1).batches[0]
    assert sorted(batch) == ["input_ids", "labels"]
    assert torch.equal(batch["labels"], torch.arange(3))
