import json
import sys
from pathlib import Path

import pytest
import torch

from audioloss_cli.probe.data import open_data
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError

datasets = pytest.importorskip("datasets")

EVEN = {"input_ids": [[1, 2], [3, 4], [5, 6]], "audio_labels": [[[1, 1], [2, 2]]] * 3, "text": ["a", "b", "c"]}


def saved(rows: dict, path: Path) -> str:
    datasets.Dataset.from_dict(rows).save_to_disk(str(path))
    return str(path)


def test_samples_of_one_length_are_stacked(tmp_path: Path) -> None:
    source = open_data(saved(EVEN, tmp_path / "rows"), count=2)
    assert [batch["input_ids"].tolist() for batch in source.batches] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert source.batches[0]["audio_labels"].shape == (2, 2, 2)
    assert source.batches[0]["text"] == ["a", "b"]
    assert "stacked by torch's default_collate" in source.notes[0]
    assert torch.equal(source.again()[1]["input_ids"], source.batches[1]["input_ids"])


def test_samples_of_several_lengths_need_a_collator(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError) as caught:
        open_data(saved({"input_ids": [[1], [2, 3]]}, tmp_path / "rows"))
    assert "differ in length ('input_ids' is [1] and [2]); name a factory" in str(caught.value)
    assert str(caught.value).endswith("--data package.module:factory")


@pytest.mark.parametrize(("names", "chosen"), [(("test", "train"), "train"), (("eval", "test"), "eval")])
def test_a_split_is_chosen_and_that_is_said(names: tuple[str, ...], chosen: str, tmp_path: Path) -> None:
    splits = {name: datasets.Dataset.from_dict({"input_ids": [[number]]}) for number, name in enumerate(names)}
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path))
    source = open_data(str(tmp_path))
    assert source.batches[0]["input_ids"].item() == names.index(chosen)
    assert source.notes[0] == f"The split {chosen!r} was used, of {', '.join(names)}."


def test_no_rows_are_no_batch(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"is empty or damaged|gives no batch"):  # as datasets has it
        open_data(saved({"input_ids": []}, tmp_path / "rows"))


def test_damage_is_one_line(tmp_path: Path) -> None:
    what = saved(EVEN, tmp_path / "rows")
    for path in Path(what).glob("*.arrow"):
        path.write_bytes(b"rubbish")
    with pytest.raises(UnreadableError, match="the saved dataset is empty or damaged") as caught:
        open_data(what)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what = saved(EVEN, tmp_path / "rows")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EnvironmentalError, match=r"pip install (-e )?'.*\[probe\]'$"):
        open_data(what)


def test_a_state_of_any_depth_is_one_line(tmp_path: Path) -> None:
    what = saved(EVEN, tmp_path / "rows")
    state = json.loads((path := Path(what) / "state.json").read_text())
    deep = "[" * 490 + "]" * 490  # json reads it, and to copy it takes two calls a level
    path.write_text(json.dumps({**state, "_output_all_columns": 0}).replace(": 0", f": {deep}"))
    with pytest.raises(UnreadableError, match="the saved dataset is empty or damaged"):
        open_data(what)
