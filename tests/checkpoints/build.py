"""Files of checkpoints, made of bytes by hand: no library that writes real ones is asked."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.stored import ITEMSIZES


class Raw(NamedTuple):
    """A tensor to be written; small numbers, all different, where no bytes are given."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes = b""

    @property
    def bytes(self) -> bytes:
        size = ITEMSIZES.get(self.dtype, 1)
        numbers = range(math.prod(self.shape))
        return self.data or b"".join((37 * n % 65521).to_bytes(16, "little")[: size - 1] + b"\x3c" for n in numbers)


def header_of(tensors: Mapping[str, Raw], metadata: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The header that these tensors have, one behind the other."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata is not None else {}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + len(tensor.bytes)
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    return header


def with_header(header: str | Mapping[str, Any], data: bytes = b"") -> bytes:
    """A file of safetensors with this header, whatever it says."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors_bytes(tensors: Mapping[str, Raw], metadata: Mapping[str, str] | None = None) -> bytes:
    """A file of safetensors."""
    return with_header(header_of(tensors, metadata), b"".join(tensor.bytes for tensor in tensors.values()))


def model_tensors(layers: int = 3, dtype: str = "BF16", hidden: int = 4) -> dict[str, Raw]:
    """Tensors of a tiny model."""
    found = {"embed.weight": Raw(dtype, (10, hidden)), "audio_lm_head.weight": Raw(dtype, (16, hidden))}
    for layer in range(layers):
        found[f"layers.{layer}.mlp.up_proj.weight"] = Raw(dtype, (2 * hidden, hidden))
        found[f"layers.{layer}.input_layernorm.weight"] = Raw(dtype, (hidden,))
    return found


def write_model(directory: Path, tensors: Mapping[str, Raw] | None = None, name: str = "model.safetensors") -> Path:
    """Write a directory with one file of weights and a configuration; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(safetensors_bytes(tensors or model_tensors(), {"format": "pt"}))
    (directory / "config.json").write_text('{"model_type": "made_up"}', encoding="utf-8")
    return directory


def write_shards(directory: Path, tensors: Mapping[str, Raw] | None = None, count: int = 3) -> Path:
    """Write a directory with weights in so many shards, and their index; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = tensors or model_tensors()
    weight_map: dict[str, str] = {}
    for shard in range(count):
        name = f"model-{shard + 1:05d}-of-{count:05d}.safetensors"
        own = dict(list(tensors.items())[shard::count])
        (directory / name).write_bytes(safetensors_bytes(own, {"format": "pt"}))
        weight_map |= dict.fromkeys(own, name)
    total = sum(len(tensor.bytes) for tensor in tensors.values())
    write_index(directory, weight_map, total)
    (directory / "config.json").write_text('{"model_type": "made_up"}', encoding="utf-8")
    return directory


def write_index(directory: Path, weight_map: Mapping[str, str], total_size: int) -> None:
    index = {"metadata": {"total_size": total_size}, "weight_map": dict(weight_map)}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def read_index(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "model.safetensors.index.json").read_bytes())
    return found
