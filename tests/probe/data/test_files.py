import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from transformers import BatchFeature

from audioloss_cli.probe.data import open_data
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError, UsageError
from tests.effort import examples
from tests.probe.tiny import hf_batch, original_batch

ACCEPTED = "a batch is a .pt, .pth, .safetensors or .npz file"


def save_npz(batch: dict[str, torch.Tensor], path: Path) -> None:
    np.savez(path, **{name: value.numpy() for name, value in batch.items()})


SAVERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    ".pt": torch.save,
    ".pth": lambda batch, path: torch.save(batch, path, _use_new_zipfile_serialization=False),
    ".safetensors": save_file,
    ".npz": save_npz,
}


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].dtype == value.dtype and torch.equal(found[name], value) for name, value in expected.items()
    )


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("batch", [hf_batch(), original_batch()], ids=["hf", "original"])
def test_a_batch_comes_back_as_it_was_saved(suffix: str, batch: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / f"batch{suffix}"
    SAVERS[suffix](batch, path)
    source = open_data(str(path))
    assert same(source.batches[0], batch)
    assert source.kind == f"{suffix} file"
    assert (source.notes, source.again) == ([], None)


def test_a_list_of_batches(tmp_path: Path) -> None:
    torch.save([hf_batch(seed=seed) for seed in range(3)], path := tmp_path / "three.pt")
    assert len(open_data(str(path), count=2).batches) == 2
    source = open_data(str(path), count=9)
    assert same(source.batches[2], hf_batch(seed=2))
    assert source.notes == ["9 batches were asked for, 3 found."]


def test_a_directory_in_sorted_order(tmp_path: Path) -> None:
    for number, name in enumerate(["c.pt", "a.npz", "b.safetensors", ".hidden.pt", "readme.txt"]):
        (SAVERS.get(Path(name).suffix) or torch.save)({"input_ids": torch.tensor([[number]])}, tmp_path / name)
    (tmp_path / "sub.pt").mkdir()
    source = open_data(str(tmp_path), count=9)
    assert [int(batch["input_ids"]) for batch in source.batches] == [1, 2, 0]
    assert source.kind == "directory of 3 batch files"
    assert [int(batch["input_ids"]) for batch in open_data(str(tmp_path)).batches] == [1]


def test_a_directory_is_read_no_further_than_asked(tmp_path: Path) -> None:
    torch.save(hf_batch(), tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"rubbish")
    assert len(open_data(str(tmp_path), count=1).batches) == 1
    with pytest.raises(UnreadableError, match=r"b\.pt is damaged"):
        open_data(str(tmp_path), count=2)


def test_arrays_become_tensors_of_the_dtypes_a_model_takes(tmp_path: Path) -> None:
    arrays = {
        "ids": np.array([[1, 2]], np.int16),
        "big_endian": np.array([1.5], ">f4"),
        "wide": np.array([1.5], np.longdouble),
        "mask": np.array([True]),
        "number": np.array(3, np.uint8),
        "half": np.array([1.5], np.float16),
        "text": np.array(["ja", "nein"]),
    }
    np.savez_compressed(path := tmp_path / "batch.npz", **arrays)
    (batch,) = open_data(str(path)).batches
    dtypes = {name: value.dtype for name, value in batch.items() if name != "text"}
    assert dtypes == {
        "ids": torch.int64,
        "big_endian": torch.float32,
        "wide": torch.float64,
        "mask": torch.bool,
        "number": torch.int64,
        "half": torch.float16,
    }
    assert batch["big_endian"].item() == batch["wide"].item() == 1.5
    assert batch["number"].shape == ()
    assert batch["text"] == ["ja", "nein"]


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.array([{}], object), "array 'bad' holds Python objects; save it as numbers"),
        (np.array([2**63], np.uint64), "array 'bad' holds ids beyond int64; save it as int64"),
        (np.zeros(1, "datetime64[s]"), "array 'bad' is of dtype datetime64[s]; save it as numbers"),
    ],
)
def test_arrays_that_are_no_tensors_are_refused_by_name(array: np.ndarray, told: str, tmp_path: Path) -> None:
    np.savez(path := tmp_path / "batch.npz", good=np.zeros(1), bad=array)
    with pytest.raises(UnreadableError) as caught:
        open_data(str(path))
    assert str(caught.value) == f"{path}: {told}"


class Hostile:
    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.target,)


@pytest.mark.parametrize("zipped", [True, False])
def test_hostile_pickles_are_refused_and_not_executed(zipped: bool, tmp_path: Path) -> None:
    target, path = tmp_path / "pwned", tmp_path / "batch.pt"
    torch.save({"input_ids": Hostile(target)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnreadableError) as caught:
        open_data(str(path))
    assert not target.exists()
    assert f"{path} holds {os.mkdir.__module__}.mkdir, which is code and is not loaded" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_hostile_pickles_under_another_suffix(suffix: str, tmp_path: Path) -> None:
    target, path = tmp_path / "pwned", tmp_path / f"batch{suffix}"
    path.write_bytes(pickle.dumps(Hostile(target)))
    with pytest.raises(UnreadableError, match="is damaged"):
        open_data(str(path))
    assert not target.exists()


def test_a_class_of_transformers_is_refused_with_the_remedy(tmp_path: Path) -> None:
    torch.save(BatchFeature(hf_batch()), path := tmp_path / "batch.pt")
    with pytest.raises(UnreadableError, match=r"BatchFeature, which is code .*: torch\.save\(dict\(batch\), \.\.\.\)$"):
        open_data(str(path))


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    torch.save({"input_ids": torch.full((1, 64), 7)}, path := tmp_path / "batch.pt")
    blob = bytearray(path.read_bytes())
    blob[blob.index((7).to_bytes(8, "little") * 8)] = 9
    path.write_bytes(blob)
    with pytest.raises(UnreadableError, match=r"batch\.pt: the checksum of batch/data/0 is wrong"):
        open_data(str(path))


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_batch_file_is_one_line(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"batch{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=r"damaged|without entries") as caught:
        open_data(str(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", SAVERS)
def test_a_batch_without_entries(suffix: str, tmp_path: Path) -> None:
    SAVERS[suffix]({}, path := tmp_path / f"batch{suffix}")
    with pytest.raises(UnreadableError, match="holds a batch without entries; save it with its tensors"):
        open_data(str(path))


@pytest.mark.parametrize("suffix", SAVERS)
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_gives_a_batch_or_one_line(suffix: str, data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / f"batch{suffix}"
    SAVERS[suffix]({"input_ids": torch.arange(9), "mask": torch.ones(3).bool()}, path)
    blob = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(blob[: data.draw(st.one_of(st.just(len(blob)), st.integers(0, len(blob))))])
    try:
        batches = open_data(str(path)).batches
    except UnreadableError as error:
        told = str(error)
    else:
        assert all(batches)
        return
    assert told.startswith(str(path))
    assert "\n" not in told


def test_a_tensor_alone_is_no_batch(tmp_path: Path) -> None:
    torch.save(torch.zeros(2), path := tmp_path / "batch.pt")
    with pytest.raises(UnreadableError, match=r"batch\.pt: found a Tensor where a batch must be; make it a dict"):
        open_data(str(path))


def test_another_suffix_is_told_what_is_accepted(tmp_path: Path) -> None:
    (path := tmp_path / "batch.csv").write_text("1,2\n")
    with pytest.raises(UnreadableError) as caught:
        open_data(str(path))
    assert str(caught.value) == f"--data '{path}': {ACCEPTED}, or name a factory: 'package.module:factory'"


def test_a_directory_of_other_things_is_told_what_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_text("1,2\n")
    with pytest.raises(UnreadableError) as caught:
        open_data(str(tmp_path))
    assert str(caught.value) == f"--data '{tmp_path}': no batch in this directory; {ACCEPTED}"


def test_an_empty_list_is_no_batch(tmp_path: Path) -> None:
    torch.save([], path := tmp_path / "batch.pt")
    with pytest.raises(UnreadableError, match="gives no batch"):
        open_data(str(path))


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"batch{suffix}"
    SAVERS[suffix](hf_batch(), path)
    path.chmod(0)
    with pytest.raises(UnreadableError, match="Permission denied"):
        open_data(str(path))


def test_arguments_make_no_sense_for_a_file(tmp_path: Path) -> None:
    torch.save(hf_batch(), path := tmp_path / "batch.pt")
    with pytest.raises(UsageError, match="--data-arg needs an import string"):
        open_data(str(path), arguments={"split": "train"})


def test_a_colon_in_the_name_of_a_file(tmp_path: Path) -> None:
    torch.save(hf_batch(), path := tmp_path / "step:500.pt")
    assert open_data(str(path)).kind == ".pt file"


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(hf_batch(), path := tmp_path / "batch.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(EnvironmentalError, match=r"'safetensors': pip install (-e )?'.*\[probe\]'$"):
        open_data(str(path))


def test_a_zip_is_really_checked(tmp_path: Path) -> None:
    torch.save(hf_batch(), path := tmp_path / "batch.pt")
    assert zipfile.is_zipfile(path)
    assert open_data(str(path)).notes == []
