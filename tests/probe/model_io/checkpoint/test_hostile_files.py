"""Small files that ask for much: each is refused in one line before torch, numpy, sympy or transformers believe it."""

import collections
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.data import open_data
from audioloss_cli.probe.errors import UnreadableError
from tests.fuzz.checkpoints import archives
from tests.fuzz.checkpoints.pickles import called, integer, name, tensor, text, whole
from tests.probe import tiny
from tests.probe.model_io.checkpoint.models import assert_same, load
from tests.probe.model_io.checkpoint.test_lora_adapter import adapted, edit, saved
from tests.probe.newer import transformers_with

FACTORY = "tests.probe.model_io.checkpoint.models:linear"
DEEP = 50_000
COLLIDING = [(1 << 61) * n - n for n in range(1, 5000)]


def refused(act: Callable[[], Any], path: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        act()
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    assert len(told) < 1000
    return told


def zipped(value: bytes, storage: bytes = bytes(16)) -> bytes:
    return archives.stored({"w/data.pkl": whole(value), "w/data/0": storage, "w/version": b"3\n"})


def legacy(value: bytes, elements: int = 4, storage: bytes = bytes(16)) -> bytes:
    front = [torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, {"little_endian": True}]
    pieces = [*(pickle.dumps(each, 2) for each in front), whole(value).replace(b"tQ", b"NtQ"), pickle.dumps(["0"], 2)]
    return b"".join(pieces) + elements.to_bytes(8, "little") + storage


def weights(count: int = 4, size: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,)) -> bytes:
    return b"}" + text("0.weight") + tensor("0", count, size, stride) + b"s"


@pytest.mark.parametrize("container", [zipped, legacy])
def test_what_is_made_by_hand_here_is_read_where_it_is_honest(container, tmp_path):
    (path := tmp_path / "w.pt").write_bytes(container(weights()))
    assert torch.load(path, weights_only=True)["0.weight"].tolist() == [0.0] * 4
    assert open_data(str(path)).batches[0]["0.weight"].tolist() == [0.0] * 4


def honest() -> dict[str, Any]:
    """What trainers keep beside their weights, and torch.load gives back with weights_only=True."""
    model = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    attributed = torch.ones(2)
    attributed.mark = "x"  # type: ignore[attr-defined]
    return {
        "optimizer": optimiser.state_dict(),
        "rng": torch.get_rng_state(),
        "plain": [1, -(1 << 40), 1.5, None, True, "x", b"bytes", bytearray(b"x"), 1j, {1, "a"}, (), (1, (2, [3]))],
        "torch": [torch.Size([2, 3]), torch.float32, torch.device("cpu"), torch.strided],
        "counted": collections.Counter("abca"),
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "keys": {0: 1, (1, "a"): 2, None: 3, 1.5: 4},
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "attributed": attributed,
        "expanded": torch.ones(1).expand(3, 4),
        "transposed": torch.arange(6).reshape(2, 3).T,
        "nothing": torch.zeros(0, 3),
        "scalar": torch.tensor(2.0),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "unsigned": torch.ones(3, dtype=torch.uint16),
        "state_dict": model.state_dict(),
    }


@pytest.mark.parametrize("new", [True, False])
def test_what_trainers_keep_is_read(new, tmp_path):
    saved = honest()
    if not new:
        del saved["unsigned"]  # torch itself does not read it in the old format
    torch.save(saved, path := tmp_path / "w.pt", _use_new_zipfile_serialization=new)
    read = open_data(str(path)).batches[0]
    assert read.keys() == saved.keys()
    for key in ("plain", "torch", "counted", "ordered", "keys"):
        assert read[key] == saved[key]
    for key in ("rng", "parameter", "attributed", "expanded", "transposed", "nothing", "scalar", "half"):
        assert torch.equal(read[key], saved[key])
    assert not new or torch.equal(read["unsigned"], saved["unsigned"])
    assert load(path, model="tests.probe.model_io.checkpoint.test_hostile_files:small").missing == []


def small() -> torch.nn.Module:
    return torch.nn.Linear(3, 2)


PICKLES = {
    "holds itself": (b"}q\x00" + text("state_dict") + b"h\x00s", "holds itself, or is nested more than 100"),
    "50,000 lists": (b"]" * DEEP + b"a" * (DEEP - 1), "nested more than 100 levels deep"),
    "50,000 tuples": (b")" + b"\x85" * DEEP, "nested more than 100 levels deep"),
    "50,000 dicts": (b"}" + (text("model") + b"}") * DEEP + b"s" * DEEP, "nested more than 100 levels deep"),
    "small while shared": (b"]" + b"q\x00]h\x00ah\x00a" * 60, "nested more than 100 levels deep"),
    "a key of 50,000 tuples": (b"}" + b")" + b"\x85" * DEEP + b"Ns", "keys are no names or numbers"),
    "a set that collides": (
        called("builtins", "set", b"](" + b"".join(map(integer, COLLIDING)) + b"e"),
        "keys are no names or numbers",
    ),
    "a long name": (name("torch." + "a" * 400_000, "b"), "asks for a name of 400,008 characters"),
    "10 GB of zeros": (called("builtins", "bytearray", integer(10**10)), "calls bytearray with a length"),
    "a slow encoding": (called("_codecs", "encode", text("\u20ac" * 9), text("punycode")), "is damaged"),
    "a new tensor": (called("torch", "Tensor", integer(10**10)), "calls torch.Tensor, which torch.save does not"),
    "no values": (
        called("torch._utils", "_rebuild_meta_tensor_no_storage", name("torch", "float32"), b")", b")", b"\x89"),
        "holds a tensor of the meta device",
    ),
    "a method replaced": (
        called("collections", "OrderedDict") + b"}" + text("items") + b"K\x05sb",
        "replaces 'items' of a OrderedDict",
    ),
    "an opcode of another protocol": (b"\x8f", "uses the pickle opcode EMPTY_SET"),
    "a view out of its storage": (weights(4, (5,)), "reaches out of its storage '0'"),
    "terabytes": (weights(4, (10**6, 10**6), (0, 0)), "its tensors claim more than"),
    "terabytes of nothing": (weights(4, (10**12, 0), (0, 1)), "its tensors claim more than"),
    "a storage of terabytes": (weights(1 << 40), "its storage"),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("container", [zipped, legacy])
@pytest.mark.parametrize("case", PICKLES)
def test_pickles(case, container, tmp_path):
    value, told = PICKLES[case]
    for path in (tmp_path / "w.pt", tmp_path / "w.bin"):
        path.write_bytes(container(value))
        found = refused(lambda path=path: load(path, model=FACTORY), path)
        assert told in found or (case == "a storage of terabytes" and "cut short" in found)
    assert refused(lambda: open_data(str(tmp_path / "w.pt")), tmp_path / "w.pt") == found.replace("w.bin", "w.pt")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (legacy(weights(), elements=5), "its storage '0' is of another size"),
        (legacy(weights(), storage=bytes(15)), "is cut short"),
        (legacy(weights()).replace(b"]q\x00X\x01\x00\x00\x000", b"]q\x00X\x01\x00\x00\x001"), "its list of storages"),
        (whole(b"]" * 9), "is a pickle that torch.save did not write"),
        (whole(b"X\xff\xff\xff\xffab"), "is damaged"),
        (b"", "is empty"),
    ],
)
def test_files_of_the_old_format(content, told, tmp_path):
    (path := tmp_path / "w.pth").write_bytes(content)
    assert told in refused(lambda: load(path, model=FACTORY), path)


def strange(kind: str, tmp_path: Path) -> Path:
    """An archive of healthy weights, with one kind of lie in it."""
    torch.save({"0.weight": torch.arange(12.0).reshape(4, 3)}, tmp_path / "healthy.pt")
    entries = archives.contents((tmp_path / "healthy.pt").read_bytes())
    return archives_of(kind, entries, tmp_path / "w.pt")


def archives_of(kind: str, entries: dict[str, bytes], path: Path) -> Path:
    for seed in range(1000):
        source = archives.random.Random(seed)
        content, made = archives.strange(entries, source)
        if made == kind:
            path.write_bytes(content)
            return path
    raise AssertionError(kind)


STRANGE = {
    "bomb": "is compressed, which torch.save never does",
    "deflated": "is compressed, which torch.save never does",
    "twice": "two of its entries go by one name",
    "overlap": "reaches into what follows it",
    "quine": "reaches into what follows it",
    "encrypted": "is encrypted",
}


@pytest.mark.parametrize("kind", STRANGE)
def test_archives(kind, tmp_path):
    path = strange(kind, tmp_path)
    assert STRANGE[kind] in refused(lambda: load(path, model=FACTORY), path)
    assert STRANGE[kind] in refused(lambda: open_data(str(path)), path)


def test_torch_misreads_what_is_compressed(tmp_path):
    """Why it is refused: torch.load maps the compressed bytes and calls them weights."""
    values = [0.1, 0.7, -3.3, 12.9]
    entries = archives.contents(zipped(weights(), np.array(values, "f4").tobytes()))
    path = archives_of("deflated", entries, tmp_path / "w.pt")
    assert torch.load(path, weights_only=True)["0.weight"].tolist() == pytest.approx(values)
    assert torch.load(path, weights_only=True, mmap=True)["0.weight"].tolist() != pytest.approx(values)
    refused(lambda: load(path, model=FACTORY), path)


def test_bytes_around_an_archive(tmp_path):
    (path := tmp_path / "w.pt").write_bytes(zipped(weights()) + b"more")
    assert "stands before or behind" in refused(lambda: load(path, model=FACTORY), path)


def npy(shape: tuple[int, ...], kind: str) -> bytes:
    header = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (npy((10**12,), "<i8"), "claim to hold more than"),
        (npy((10**12,), "<U0"), "claim to hold more than"),
        (npy((10**12, 0), "<i8"), "claim to hold more than"),
        (npy((1,), "<U250000000"), "claim to hold more than"),
        (npy((3,), "<i8") + bytes(23), "where its header says"),
        (b"no array", "is damaged"),
    ],
)
def test_arrays(member, told, tmp_path):
    (path := tmp_path / "b.npz").write_bytes(archives.stored({"a.npy": member}))
    assert told in refused(lambda: open_data(str(path)), path)


@pytest.mark.parametrize("kind", ["bomb", "overlap", "quine", "method"])
def test_archives_of_arrays(kind, tmp_path):
    path = archives_of(kind, {"a.npy": archives.array(np.zeros(9))}, tmp_path / "b.npz")
    refused(lambda: open_data(str(path)), path)


def directory(tmp_path: Path, **more: Any) -> Path:
    """A healthy checkpoint of transformers, with other settings."""
    tiny.model().save_pretrained(tmp_path / "ckpt")
    config = json.loads((tmp_path / "ckpt/config.json").read_text())
    (tmp_path / "ckpt/config.json").write_text(json.dumps({**config, **more}))
    return tmp_path / "ckpt"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"num_hidden_layers": 10**7}, "num_hidden_layers 1e\\+07 is more than any model has"),
        ({"num_hidden_layers": 50_000}, "describes a model of more than .* parts, and the weights hold"),
        ({"vocab_size": 10**9}, "describes a model of more than 4,483,328 values"),
        ({"hidden_size": 10**6, "head_dim": 10**6}, "describes a model of more than 4,483,328 values"),
        ({"hidden_size": 600}, "describes a model of more than 4,483,328 values"),
        ({"num_labels": 10**9}, "num_labels 1e\\+09 is more than any model has"),
        ({"architectures": 5}, "has no model for model_type 'higgs_audio_v2', architectures 5"),
        ({"architectures": {"a": 1}}, "has no model for model_type"),
        ({"architectures": None, "model_type": ["x"]}, "has no model for model_type"),
    ],
)
def test_configurations(more, told, tmp_path):
    path = directory(tmp_path, **more)
    assert re.search(told, refused(lambda: load(path), path / "config.json"))


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_a_configuration_that_is_deep(depth, tmp_path):
    config = (path := directory(tmp_path) / "config.json").read_text()
    path.write_text('{"x": ' + "[" * depth + "]" * depth + ", " + config[1:])
    assert re.search("levels deep|is no JSON", refused(lambda: load(tmp_path / "ckpt"), path))


def test_a_configuration_without_sizes_beside_sixteen_bytes(tmp_path):
    """It means the three billion weights of the published model."""
    transformers_with("HiggsAudioV2Config")
    save_file({"a": torch.zeros(4)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "higgs_audio_v2"}')
    told = refused(lambda: load(tmp_path), tmp_path / "config.json")
    assert "the weights hold 4 values in 1 tensors" in told


@pytest.mark.parametrize(
    "more",
    [
        {"use_delay_pattern": ["x"]},
        {"audio_token_id": "x"},
        {"audio_stream_bos_id": 1.5},
        {"audio_stream_eos_id": 1 << 40},
    ],
)
def test_settings_of_the_audio_that_are_none(more, tmp_path):
    path = directory(tmp_path, **more)
    save_file(tiny.hf_batch(((4,),)), tmp_path / "b.safetensors")
    refused(lambda: probe(ProbeConfig(str(path), str(tmp_path / "b.safetensors"), device="cpu")), path)


def test_names_of_shards(tmp_path):
    save_file({"a": torch.zeros(4)}, tmp_path / "a.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    for shard in ("./a.safetensors", "sub/a.safetensors", "a" * 300, "..", "", "a\\..\\a.safetensors"):
        index.write_text(json.dumps({"weight_map": {"a": shard}}))
        assert "lies outside of the checkpoint" in refused(lambda: load(tmp_path, model=FACTORY), index)


def test_a_long_name_of_a_tensor(tmp_path):
    save_file({"model." * 5000: torch.zeros(4)}, path := tmp_path / "w.safetensors")
    assert "30,000 characters long" in refused(lambda: load(path, model=FACTORY), path)


def test_terabytes_of_nothing_in_safetensors(tmp_path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**12, 0], "data_offsets": [0, 0]}}).encode()
    (path := tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert "claims [1000000000000, 0] and holds nothing" in refused(lambda: load(path, model=FACTORY), path)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"r": 1 << 20}, "the rank 1048576 is not that of the weights"),
        ({"r": "8"}, "the rank 8 is not"),
        ({"rank_pattern": {"q_proj": 10**9}}, "the rank 1000000000 is not"),
        ({"target_modules": "(a+)+$"}, "may take for ever"),
        ({"target_modules": ".*.*.*.*.*x"}, "may take for ever"),
        ({"layer_replication": [[0, 10**9]]}, "adapter_config.json"),
        ({"base_model_name_or_path": "a" * 5000}, "which is not here and is not fetched"),
    ],
)
def test_settings_of_an_adapter(more, told, tmp_path):
    path = saved(tmp_path, adapted(tiny.model()), str(directory(tmp_path)))
    edit(path, **more)
    assert told in refused(lambda: load(path), path)


def test_a_pattern_that_users_write_is_taken(tmp_path):
    wrapped = adapted(tiny.model(), target_modules=r".*\.layers\.(\d+)\.self_attn\.(q_proj|v_proj)")
    assert_same(load(saved(tmp_path, wrapped, str(directory(tmp_path)))), wrapped)


def test_a_table_of_a_saved_dataset_that_lies(tmp_path):
    """Arrow checks the length of an array where it slices it, and ends the process."""
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([{"tokens": [1, 2, 3]}] * 2).save_to_disk(tmp_path / "saved")
    (table,) = (tmp_path / "saved").glob("*.arrow")
    honest, lying = (np.array(ends, "i4").tobytes() for ends in ([0, 3, 6], [0, 1024, 2048]))
    data = table.read_bytes()
    assert honest in data
    table.write_bytes(data.replace(honest, lying))
    told = refused(lambda: open_data(str(tmp_path / "saved")), tmp_path / "saved")
    assert "the saved dataset is empty or damaged" in told


def test_a_dataset_that_reaches_elsewhere(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([{"tokens": [1, 2, 3]}] * 2).save_to_disk(tmp_path / "saved")
    state = json.loads((tmp_path / "saved/state.json").read_text())
    state["_data_files"][0]["filename"] = "../elsewhere.arrow"
    (tmp_path / "saved/state.json").write_text(json.dumps(state))
    assert "lies elsewhere" in refused(lambda: open_data(str(tmp_path / "saved")), tmp_path / "saved")
