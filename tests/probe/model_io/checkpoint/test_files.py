"""Weight files that are damaged, incomplete or hostile: each is named, in one line, and nothing of it runs."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.files import read_weights

STATE = {"a.weight": torch.arange(600.0), "b.weight": torch.ones(3)}


class Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def refused(path: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_weights(path)
    told = str(caught.value)
    assert "\n" not in told
    return told


def sharded(directory: Path, weight_map: dict[str, str]) -> Path:
    for number, (name, tensor) in enumerate(STATE.items(), 1):
        save_file({name: tensor}, directory / f"model-{number}.safetensors")
    (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return directory


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.bin", "legacy.pth"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=name != "legacy.pth")
    stored = read_weights(path)
    assert stored.notes == []
    assert all(torch.equal(stored.tensors[key], tensor) for key, tensor in STATE.items())


def test_values_are_the_process_own(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    read_weights(tmp_path / "w.safetensors").tensors["b.weight"].zero_()
    assert read_weights(tmp_path / "w.safetensors").tensors["b.weight"].sum() == 3


@pytest.mark.parametrize("zipped", [True, False])
def test_pickle_that_runs_code(tmp_path: Path, zipped: bool) -> None:
    marker, path = tmp_path / "ran", tmp_path / "w.pt"
    torch.save({**STATE, "bomb": Bomb(marker)}, path, _use_new_zipfile_serialization=zipped)
    told = refused(path)
    assert str(path) in told
    assert f"{os.mkdir.__module__}.mkdir" in told
    assert not marker.exists()


def test_bare_pickle(tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "w.bin"
    path.write_bytes(pickle.dumps(Bomb(marker)))
    assert str(path) in refused(path)
    assert not marker.exists()


def test_flipped_byte(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(STATE, path)
    data = bytearray(path.read_bytes())
    where = data.index(STATE["a.weight"].numpy().tobytes()[400:800])
    data[where] ^= 1
    path.write_bytes(data)
    assert torch.load(path)["a.weight"].shape == (600,), "torch does not look at the checksum"
    assert "the checksum of w/data/0 is wrong" in refused(path)


def test_no_checksums(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(STATE, tmp_path / "w.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert read_weights(tmp_path / "w.pt").tensors.keys() == STATE.keys()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
@pytest.mark.parametrize("keep", [0, 5, 1000])
def test_cut_short(tmp_path: Path, name: str, keep: int) -> None:
    path = tmp_path / name
    save_file(STATE, path) if path.suffix == ".safetensors" else torch.save(STATE, path)
    path.write_bytes(path.read_bytes()[:keep])
    assert str(path) in refused(path)


def test_shards(tmp_path: Path) -> None:
    sharded(tmp_path, {"a.weight": "model-1.safetensors", "b.weight": "model-2.safetensors"})
    stored = read_weights(tmp_path)
    assert stored.tensors.keys() == STATE.keys()
    assert stored.notes == []


@pytest.mark.parametrize("name", ["../w.safetensors", "/etc/passwd", "x/../../w.safetensors", "..\\w.safetensors"])
def test_shard_outside(tmp_path: Path, name: str) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    inner = tmp_path / "inner"
    inner.mkdir()
    sharded(inner, {"a.weight": name})
    assert f"names {name!r}, which lies outside" in refused(inner)


def test_missing_shard(tmp_path: Path) -> None:
    sharded(tmp_path, {"a.weight": "model-1.safetensors", "b.weight": "model-7.safetensors"})
    assert "names model-7.safetensors, which is missing" in refused(tmp_path)


def test_index_and_shards_disagree(tmp_path: Path) -> None:
    sharded(tmp_path, {"a.weight": "model-1.safetensors", "gone.weight": "model-2.safetensors"})
    save_file(STATE, tmp_path / "model-2.safetensors")
    assert read_weights(tmp_path).notes == [
        "model-2.safetensors repeats a.weight of an earlier file (1 in all); the last counts",
        "model.safetensors.index.json lists what is in no shard, such as gone.weight (1 in all)",
    ]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": {"a": 1}}'])
def test_index_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert "model.safetensors.index.json" in refused(tmp_path)


def test_no_tensors(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    assert "holds no state dict" in refused(tmp_path / "w.pt")
