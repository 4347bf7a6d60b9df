"""Weights of a directory: one file, or shards and the index that says which tensor lies in which of them.

Layout: ``save_pretrained`` of transformers and peft.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.layouts._opener import DAMAGED, LEAVES, UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._state import model_tensors
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.words import clipped, counted, listed
from audioloss_cli.model import Severity

MISSING, STRAY, WRONG_MAP, TWICE = "missing-shard", "stray-shard", "wrong-weight-map", "duplicate-tensor"
WRONG_SIZE = "wrong-total-size"
#: Files of a whole model, in the order in which transformers looks for them, and of an adapter.
MODEL = ("model.safetensors", "pytorch_model.bin")
ADAPTER = ("adapter_model.safetensors", "adapter_model.bin")
SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,6})-of-(?P<count>\d{1,6})\.(?P<suffix>safetensors|bin)")
_LONGEST_NAME = 200  # characters of the path of a shard


def has_weights(names: Iterable[str], wholes: tuple[str, ...] = MODEL) -> bool:
    """Tell by the names in a directory whether weights lie in it."""
    there = set(names)
    return any(whole in there or f"{whole}.index.json" in there or _shards_of(whole, there) for whole in wholes)


def read_weights(opener: Opener, directory: Path, wholes: tuple[str, ...] = MODEL) -> dict[str, StoredTensor] | None:
    """Read the headers of the weights of a directory; None where there are none.

    Raises:
        OSError: the directory cannot be listed.
    """
    there = {each.name for each in directory.iterdir()}
    kinds = [whole for whole in wholes if has_weights(there, (whole,))]
    if not kinds:
        return None
    first = kinds[0]
    if len(kinds) > 1:
        opener.checkpoint.notes.append(f"{first} is read, as transformers does; {kinds[1]} lies beside it and is not")
    shards = _shards_of(first, there)
    if first in there:
        _tell_strays(opener, directory, shards, f"{first} is loaded instead of them")
        stored = opener.tensors(directory / first)
        return model_tensors(stored) if stored else {}
    if f"{first}.index.json" in there:
        return _Sharded(opener, directory, first).read(shards)
    return _without_index(opener, directory, first, shards)


def _shards_of(whole: str, there: set[str]) -> list[str]:
    """Return the names of shards of such a file, sorted."""
    stem, _, suffix = whole.rpartition(".")
    matches = [match for name in there if (match := SHARD.fullmatch(name))]
    return sorted(match[0] for match in matches if match["stem"] == stem and match["suffix"] == suffix)


def _tell_strays(opener: Opener, directory: Path, names: Iterable[str], why: str) -> None:
    strays = list(names)
    if strays:
        text = f"{directory}: {counted(len(strays), 'shard')} of another save, {why}: {listed(strays)}"
        opener.fault(STRAY, Severity.WARNING, text, files=strays[:100])


def _without_index(opener: Opener, directory: Path, whole: str, shards: list[str]) -> dict[str, StoredTensor]:
    """Read shards that no index speaks of: nothing loads them, but they can be looked at."""
    text = f"{directory}: {whole}.index.json is missing, without which nothing loads of {counted(len(shards), 'shard')}"
    opener.fault(MISSING, Severity.CRITICAL, text, file=f"{whole}.index.json")
    matches = [match for name in shards if (match := SHARD.fullmatch(name))]
    counts = {int(match["count"]) for match in matches}
    absent = sorted(set(range(1, min(max(counts), 100_000) + 1)) - {int(match["number"]) for match in matches})
    if len(counts) == 1 and absent:
        text = f"{directory}: of {counts.pop():,} shards these are missing: {listed(absent, 10)}"
        opener.fault(MISSING, Severity.CRITICAL, text, shards=absent[:100])
    tensors: dict[str, StoredTensor] = {}
    for name in shards:
        stored = opener.tensors(directory / name)
        tensors |= model_tensors(stored) if stored else {}
    return tensors


class _Sharded:
    """An index and its shards."""

    def __init__(self, opener: Opener, directory: Path, whole: str) -> None:
        """Begin with the index of ``whole``."""
        self._opener, self._directory = opener, directory
        self._index = directory / f"{whole}.index.json"
        self._tensors: dict[str, StoredTensor] = {}
        self._places: dict[str, str] = {}  # tensor -> the first shard that has it
        self._unread = set[str]()

    def read(self, shards: list[str]) -> dict[str, StoredTensor]:
        """Read what the index names; ``shards`` are those that lie there."""
        faults = len(self._opener.checkpoint.faults)
        index = self._opener.json(self._index)
        weight_map = index.get("weight_map")
        if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
            if len(self._opener.checkpoint.faults) == faults:
                text = f"{self._index} has no weight_map of tensors to files"
                self._opener.fault(WRONG_MAP, Severity.CRITICAL, text)
            weight_map = {}
        named = sorted(set(weight_map.values()))
        if weight_map:
            _tell_strays(
                self._opener, self._directory, sorted(set(shards) - set(named)), "the index names none of them"
            )
        self._read_shards(named or shards, weight_map)
        if weight_map:
            self._hold_to_map(weight_map)
            self._hold_to_size(index.get("metadata"))
        return self._tensors

    def _read_shards(self, named: list[str], weight_map: Mapping[str, str]) -> None:
        outside = [name for name in named if not _is_inside(name)]
        missing = [name for name in named if name not in outside and not _is_there(self._directory / name)]
        self._unread.update(outside, missing)
        if outside:
            text = f"{self._index} names files outside of the checkpoint, which were not opened: {listed(outside)}"
            self._opener.fault(LEAVES, Severity.CRITICAL, text, files=[clipped(name) for name in outside[:100]])
        if missing:
            lost = sum(file in set(missing) for file in weight_map.values())
            text = (
                f"{self._directory}: missing are {len(missing):,} of {counted(len(named), 'shard')} "
                f"({listed(missing)}) and with them {lost:,} of {counted(len(weight_map), 'tensor')}"
            )
            self._opener.fault(MISSING, Severity.CRITICAL, text, files=missing[:100], tensors=lost)
        twice: dict[str, str] = {}
        for name in named:
            if name not in self._unread:
                self._read_shard(name, twice)
        if twice:
            told = listed(f"{tensor} in {place}" for tensor, place in twice.items())
            text = f"{self._directory}: {counted(len(twice), 'tensor')} in two shards, of which the last counts: {told}"
            self._opener.fault(TWICE, Severity.WARNING, text, tensors=list(twice)[:100])

    def _read_shard(self, name: str, twice: dict[str, str]) -> None:
        stored = self._opener.tensors(self._directory / name)
        if stored is None or any(fault.code == DAMAGED for fault in stored.faults):
            self._unread.add(name)
        for tensor, place in (model_tensors(stored) if stored else {}).items():
            if tensor in self._places:
                twice[tensor] = f"{self._places[tensor]} and {name}"
            self._places.setdefault(tensor, name)
            self._tensors[tensor] = place

    def _hold_to_map(self, weight_map: Mapping[str, str]) -> None:
        """Tell of tensors that lie elsewhere than the index says, nowhere, or that it does not know."""
        absent = [name for name, file in weight_map.items() if name not in self._places and file not in self._unread]
        elsewhere = [
            f"{name} in {self._tensors[name].file.name}, not {file}"
            for name, file in weight_map.items()
            if name in self._places and self._tensors[name].file != self._directory / file
            if self._places[name] != file and file not in self._unread
        ]
        unknown = [name for name in self._places if name not in weight_map]
        for severity, names, what in (
            (Severity.CRITICAL, absent, "that it names in none of its shards"),
            (Severity.WARNING, elsewhere, "in another shard than it says"),
            (Severity.WARNING, unknown, "of its shards that it does not name"),
        ):
            if names:
                text = f"{self._index}: {counted(len(names), 'tensor')} {what}: {listed(names)}"
                self._opener.fault(WRONG_MAP, severity, text, tensors=names[:100])

    def _hold_to_size(self, metadata: Any) -> None:
        """Hold ``total_size`` to the bytes of the tensors; those that share bytes count once or each, both are met."""
        claimed = metadata.get("total_size") if isinstance(metadata, dict) else None
        if not isinstance(claimed, (int, float)) or self._unread:
            return
        every = sum(tensor.nbytes for tensor in self._tensors.values())
        shared = {(each.file, each.storage or name): each.nbytes for name, each in self._tensors.items()}
        if claimed not in (every, sum(shared.values())):
            text = (
                f"{self._index} claims {claimed:,} bytes (total_size), and its tensors have {every:,}: it was written "
                "for other weights"
            )
            self._opener.fault(WRONG_SIZE, Severity.WARNING, text, claimed=claimed, found=every)


class _Place(NamedTuple):
    posix: PurePosixPath
    windows: PureWindowsPath


def _is_inside(name: str) -> bool:
    """Whether the path of a shard stays within the directory, whatever system reads it."""
    place = _Place(PurePosixPath(name), PureWindowsPath(name))
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        return False
    return not (place.posix.is_absolute() or place.windows.anchor or ".." in (*place.posix.parts, *place.windows.parts))


def _is_there(file: Path) -> bool:
    return file.is_symlink() or file.exists()


def adapter_directories(directory: Path) -> list[Path]:
    """Return the directories in it that hold an adapter of PEFT each, sorted.

    Raises:
        OSError: a directory cannot be listed.
    """
    inner = (each for each in sorted(directory.iterdir()) if each.is_dir() and not each.is_symlink())
    return [each for each in inner if any((each / name).is_file() for name in ADAPTER)]


def read_adapter(opener: Opener, directory: Path) -> dict[str, StoredTensor] | None:
    """Read the headers of an adapter of PEFT and its configuration; None where there is none.

    Raises:
        OSError: the directory cannot be listed.
    """
    config = opener.json(directory / "adapter_config.json")
    if not config and not (directory / "adapter_config.json").exists():
        text = f"{directory} has an adapter and no adapter_config.json, without which it does not load"
        opener.fault(UNFINISHED, Severity.CRITICAL, text)
    opener.checkpoint.adapter_config = opener.checkpoint.adapter_config or config
    return read_weights(opener, directory, ADAPTER)
