"""A healthy example of every layout that the probe loads, made once; what is fuzzed is one file of one of them."""

import io
import json
import random
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.probe import tiny, tiny_siblings
from tests.probe.model_io.checkpoint import original

TOY = "tests.fuzz.checkpoints.layouts:toy"
PARTNER = "partner/healthy.safetensors"  # the other half of a probe, never damaged
GENERIC = {"codes_key": "tokens", "labels_key": "targets", "layout": "BTK", "logits_key": "out.logits"} | {
    "logits_layout": "BTKV",
    "num_codebooks": 3,
}
_SMALL = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 4}


@dataclass
class Layout:
    """One way in which a checkpoint or a batch lies on disk.

    Attributes:
        files: by path below the directory.
        checkpoint, data: what ``--ckpt`` and ``--data`` name, below the directory.
        model: what ``--model`` names.
        weight: how often it is taken, beside the others.
        checked: whether every byte of a value has a checksum, so that no other value may come out.
        is_data: whether the data is what is fuzzed, rather than the checkpoint.
        options: of the adapter.
        linked: where the healthy files lie.
    """

    files: dict[str, bytes]
    checkpoint: str
    data: str
    model: str = ""
    weight: int = 1
    checked: bool = False
    is_data: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    linked: dict[str, Path] = field(default_factory=dict)


def toy() -> nn.Module:
    """A model of three codebooks, for which nothing but weights lies on disk."""
    torch.manual_seed(3)
    return tiny_siblings.Toy()


def make_layouts() -> dict[str, Layout]:
    """All of them, by name."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings(action="ignore"):
        return dict(_layouts(Path(place)))


def intact(layout: Layout, directory: Path, without: str) -> None:
    """Put the healthy files into a directory, as links, but one."""
    for name, source in layout.linked.items():
        target = directory / name
        if name != without and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


def keep(layouts: dict[str, Layout], directory: Path) -> None:
    """Write the healthy files down, for ``intact`` to link to."""
    for name, layout in layouts.items():
        for file, content in layout.files.items():
            path = directory / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            layout.linked[file] = path


def chosen(layouts: dict[str, Layout], source: random.Random) -> str:
    """The name of a layout, by their weights."""
    return source.choices(list(layouts), [layout.weight for layout in layouts.values()])[0]


def _layouts(place: Path) -> Iterator[tuple[str, Layout]]:
    model = tiny.model(5, **_SMALL)
    with_batch = {PARTNER: _tensors(tiny.hf_batch(((6,),)), place)}
    model.save_pretrained(place / "v2")
    yield "checkpoint-500", Layout(_read(place / "v2") | with_batch, ".", PARTNER, weight=1)
    model.save_pretrained(place / "shards", max_shard_size="300KB")
    yield "shards", Layout(_read(place / "shards") | with_batch, ".", PARTNER, weight=1)
    config = {"config.json": (place / "v2/config.json").read_bytes()} | with_batch
    yield "bin", Layout(config | {"pytorch_model.bin": saved(model.state_dict())}, ".", PARTNER, checked=True, weight=1)
    yield "lora", Layout(_lora(place) | with_batch, "adapter", PARTNER, weight=1)
    original.save(model, place / "original")
    with_batch = {PARTNER: _tensors(tiny.original_batch(((6,),)), place)}
    yield "original", Layout(_read(place / "original") | with_batch, ".", PARTNER, weight=1)
    siblings = tiny_siblings
    yield "csm", _sibling(siblings.csm_model(), siblings.csm_batch(), place / "csm")
    yield "moshi", _sibling(siblings.moshi_model(), siblings.moshi_batch(), place / "moshi")
    yield from _toys(place)


def _sibling(model: Any, batch: dict[str, Tensor], place: Path) -> Layout:
    model.save_pretrained(place)
    return Layout(_read(place) | {PARTNER: _tensors(batch, place)}, ".", PARTNER, weight=1)


def _toys(place: Path) -> Iterator[tuple[str, Layout]]:
    state, batch = toy().state_dict(), siblings_batch()
    tensors = {name: value for name, value in batch.items() if isinstance(value, Tensor)}
    weights = {"epoch": 3, "state_dict": state, "history": [1.5, (2, "x"), {"step": 7}]}
    healthy = {PARTNER: _tensors(tensors, place)}
    checkpoints = {
        "zip": ("w.pt", saved(weights), 12),
        "legacy": ("w.pth", saved(weights, zipped=False), 12),
        "tensors": ("w.safetensors", _tensors(state, place), 12),
        "program": ("w.pt2", _program(place), 4),
    }
    for name, (file, content, weight) in checkpoints.items():
        checked = name in ("zip", "program")
        model = "" if name == "program" else TOY
        yield name, Layout({file: content} | healthy, file, PARTNER, model, weight, checked, options=GENERIC)
    healthy = {PARTNER: _tensors(state, place)}
    data = {
        "batch-zip": ("b.pt", saved(batch)),
        "batch-legacy": ("b.pth", saved([batch, batch], zipped=False)),
        "batch-tensors": ("b.safetensors", _tensors(tensors, place)),
        "batch-arrays": ("b.npz", _arrays(tensors)),
    }
    for name, (file, content) in data.items():
        checked = name in ("batch-zip", "batch-arrays")
        yield name, Layout({file: content} | healthy, PARTNER, file, TOY, 12, checked, True, GENERIC)
    dataset = {f"saved/{name}": content for name, content in _dataset(place, tensors).items()}
    yield "dataset", Layout(dataset | healthy, PARTNER, "saved", TOY, 1, is_data=True, options=GENERIC)


def siblings_batch() -> dict[str, Any]:
    """A batch of the toy, with what is no tensor beside it."""
    return tiny_siblings.toy_batch() | {"text": ["ja", "nein"], "number": 3}


def _read(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix in (".json", ".safetensors", ".arrow", ".bin")
    }


def saved(value: Any, *, zipped: bool = True) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def _tensors(tensors: dict[str, Tensor], place: Path) -> bytes:
    save_file(tensors, place / "some.safetensors", {"format": "pt"})
    return (place / "some.safetensors").read_bytes()


def _arrays(tensors: dict[str, Tensor]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: value.numpy() for name, value in tensors.items()})
    return buffer.getvalue()


def _lora(place: Path) -> dict[str, bytes]:
    from peft import LoraConfig, get_peft_model

    wrapped = get_peft_model(tiny.model(5, **_SMALL), LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
    wrapped.save_pretrained(place / "adapter", save_embedding_layers=False)
    settings = json.loads((place / "adapter/adapter_config.json").read_text()) | {"base_model_name_or_path": "../base"}
    (place / "adapter/adapter_config.json").write_text(json.dumps(settings))
    adapter = {f"adapter/{name}": content for name, content in _read(place / "adapter").items()}
    return adapter | {f"base/{name}": content for name, content in _read(place / "v2").items()}


def _program(place: Path) -> bytes:
    length = torch.export.Dim("length", min=2, max=64)
    program = torch.export.export(toy(), (torch.ones(2, 3, 3, dtype=torch.long),), dynamic_shapes=({1: length},))
    torch.export.save(program, place / "w.pt2")
    return (place / "w.pt2").read_bytes()


def _dataset(place: Path, tensors: dict[str, Tensor]) -> dict[str, bytes]:
    import datasets

    rows = [{name: tensors[name][row].tolist() for name in ("tokens", "targets")} for row in range(2)]
    datasets.Dataset.from_list(rows).save_to_disk(place / "dataset")
    return _read(place / "dataset")
