"""Weight files: what a directory holds, and their tensors, mapped into memory rather than read."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from torch import Tensor

from audioloss_cli.checkpoints.claims import DEEPEST, is_deep
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.pickles import read_pickle, shortened, state_dict_of
from audioloss_cli.probe.model_io.checkpoint.safetensors_file import read_safetensors

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
_LONGEST_NAME = 1000
_LONGEST_FILE_NAME = 200  # characters; a shard's is 32 or so
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_NAMES = tuple(name for whole in _WHOLE for name in (whole, f"{whole}.index.json"))


class Stored(NamedTuple):
    """Tensors of a checkpoint by its own names, and sentences about them for the report."""

    tensors: dict[str, Tensor]
    notes: list[str]


def read_weights(path: Path) -> Stored:
    """The tensors of a file, or of a directory as ``save_pretrained`` lays it out: whole or in shards.

    Raises:
        UnreadableError: there is none, or one is damaged; it is named.
        OSError: one cannot be read.
    """
    if path.is_file():
        return _read_file(path)
    found = next((path / name for name in _NAMES if (path / name).exists()), None)
    if found is not None and found.suffix == ".json":
        return _read_shards(found)
    if found is not None:
        return _read_file(found)
    loose = sorted(path.glob("*.safetensors"))
    if not loose:
        raise UnreadableError(f"{path} holds none of {', '.join(_NAMES)}")
    return _merged(loose)


def holds_weights(directory: Path) -> bool:
    """Whether ``read_weights`` would find something that is the directory's own."""
    return any((directory / name).exists() for name in _NAMES)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        UnreadableError: it is something else, or nested beyond all use.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{path} must hold an object, it holds a {type(found).__name__}")
    if is_deep(found):
        raise UnreadableError(f"{path} is nested more than {DEEPEST} levels deep; save it again")
    return found


def _read_file(path: Path) -> Stored:
    safe = path.suffix == ".safetensors"
    found = (read_safetensors(path), []) if safe else state_dict_of(read_pickle(path), path)
    longest = max(found[0], key=len, default="")
    if len(longest) > _LONGEST_NAME:
        raise UnreadableError(f"{path} has a tensor whose name is {len(longest):,} characters long; save it again")
    return Stored(*found)


def _read_shards(index: Path) -> Stored:
    """The shards that an index names; its ``weight_map`` must name files beside it (layout: huggingface_hub)."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise UnreadableError(f"{index} has no weight_map of tensor names to file names")
    shards = sorted(set(weight_map.values()))
    for name in shards:  # plain names, so that no file goes by many of them
        plain = PurePosixPath(name.replace("\\", "/")).name == name and name not in ("", "..")
        if not plain or len(name) > _LONGEST_FILE_NAME:
            raise UnreadableError(
                f"{index} names {name[:200]!r}, which lies outside of the checkpoint; it was not opened"
            )
    lost = [name for name in shards if not (index.parent / name).is_file()]
    if lost:
        raise UnreadableError(f"{index} names {', '.join(shortened(lost))}, which is missing; copy the shards again")
    stored = _merged([index.parent / name for name in shards])
    absent = sorted(set(weight_map) - set(stored.tensors))
    if absent:
        stored.notes.append(f"{index.name} lists what is in no shard, such as {absent[0]} ({len(absent)} in all)")
    return stored


def _merged(files: list[Path]) -> Stored:
    tensors: dict[str, Tensor] = {}
    notes: list[str] = []
    for file, stored in _each(files):
        twice = sorted(tensors.keys() & stored.tensors.keys())
        if twice:
            notes.append(f"{file.name} repeats {twice[0]} of an earlier file ({len(twice)} in all); the last counts")
        tensors.update(stored.tensors)
        notes.extend(stored.notes)
    return Stored(tensors, notes)


def _each(files: list[Path]) -> Iterator[tuple[Path, Stored]]:
    yield from ((file, _read_file(file)) for file in files)
