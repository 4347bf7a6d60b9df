"""Checkpoints of torch.distributed.checkpoint: ``.metadata`` says in which file each chunk of each tensor lies.

It is a pickle, which is walked through and never loaded.

Layout: torch/distributed/checkpoint/metadata.py and filesystem.py.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.layouts._archives import Archives
from audioloss_cli.checkpoints.layouts._opener import DAMAGED, LEAVES, UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._state import is_other, model_name
from audioloss_cli.checkpoints.pickles import Call, Global
from audioloss_cli.checkpoints.pickles.tables import NAMES
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Severity

METADATA = ".metadata"
MISSING, STRAY = "missing-shard", "stray-shard"
_CHUNKS = "*.distcp"
_LONGEST_NAME, _MOST_AXES, _MOST = 200, 64, 1 << 60
_STEPS = ("step", "global_step", "train_step", "iteration", "train_state.step")


class _Chunk(NamedTuple):
    """The bytes of a file that a chunk of a tensor is in."""

    file: str
    start: int
    length: int
    is_transformed: bool


class Distributed(NamedTuple):
    """What a directory of chunks holds: tensors of the model, whether others are there, and the step where it says."""

    tensors: dict[str, StoredTensor]
    has_optimizer: bool
    step: int | None


def is_distributed(names: Iterable[str]) -> bool:
    """Tell by the names in a directory."""
    return any(name == METADATA or name.endswith(".distcp") for name in names)


def read_distributed(opener: Opener, directory: Path) -> Distributed:
    """Read ``.metadata``, and where the values of each chunk lie.

    Raises:
        OSError: the directory cannot be listed.
    """
    opener.sweep(directory)
    files = sorted(directory.glob(_CHUNKS))
    if not (directory / METADATA).exists():
        text = f"{directory} has no {METADATA}, which is written last: the save did not finish, and it does not load"
        opener.fault(UNFINISHED, Severity.CRITICAL, text)
        opener.checkpoint.files += files
        return Distributed({}, has_optimizer=False, step=None)
    value = opener.pickle(directory / METADATA)
    found = _attributes(value)
    if value is not None and not isinstance(found.get("state_dict_metadata"), dict):
        opener.fault(DAMAGED, Severity.CRITICAL, f"{directory / METADATA} holds no metadata of torch.distributed")
    with ExitStack() as opened:
        reading = _Reading(opener, directory, found, Archives(opened))
        reading.tell_files(files)
        tensors = reading.tensors()
        opener.checkpoint.checksums += reading.archives.checksums
        return Distributed(tensors, reading.has_optimizer, reading.step)


class _Reading:
    """One ``.metadata``."""

    def __init__(self, opener: Opener, directory: Path, found: Mapping[str, Any], archives: Archives) -> None:
        self._opener, self._directory = opener, directory
        self._described = _dict(found.get("state_dict_metadata"))
        self._paths = _dict(found.get("planner_data"))
        self._chunks: dict[str, dict[tuple[int, ...], _Chunk]] = defaultdict(dict)
        for index, info in _dict(found.get("storage_data")).items():
            entry = _chunk(index, info)
            if entry is not None:
                self._chunks[entry[0]][entry[1]] = entry[2]
        self._named = {chunk.file for chunks in self._chunks.values() for chunk in chunks.values()}
        self._bad = {file for file in self._named if not _is_name(file)}
        self._is_wrapped = any(is_other(str(key)) for key in self._described)
        self.archives = archives
        self.step: int | None = None
        self.has_optimizer = False

    def tell_files(self, files: list[Path]) -> None:
        """Hold the files that are there to those that are spoken of."""
        if self._bad:
            text = (
                f"{self._directory / METADATA} names files outside of the checkpoint, which were not opened: "
                f"{listed(sorted(self._bad))}"
            )
            self._opener.fault(LEAVES, Severity.CRITICAL, text)
        good = self._named - self._bad
        self._opener.checkpoint.files += [self._directory / name for name in sorted(good)]
        missing = {name for name in sorted(good) if not (self._directory / name).is_file()}
        if missing:
            lost = sum(any(chunk.file in missing for chunk in chunks.values()) for chunks in self._chunks.values())
            text = (
                f"{self._directory}: missing are {len(missing):,} of {counted(len(good), 'file')} "
                f"({listed(sorted(missing))}) and with them {counted(lost, 'tensor')}, whole or in part"
            )
            self._opener.fault(MISSING, Severity.CRITICAL, text, files=sorted(missing)[:100])
        strays = [each.name for each in files if each.name not in self._named]
        if strays and self._named:
            text = f"{self._directory}: {counted(len(strays), 'file')} of another save: {listed(strays)}"
            self._opener.fault(STRAY, Severity.WARNING, text, files=strays[:100])
        self._bad |= missing

    def tensors(self) -> dict[str, StoredTensor]:
        """Return the tensors of the model by name, and keep what is wrong with any."""
        lost, tensors, unread = list[str](), dict[str, StoredTensor](), list[str]()
        for key, about in self._described.items():
            name = model_name(self._path(str(key)))
            self.has_optimizer |= not name
            described = _attributes(about)
            if "size" not in described:
                self._read_value(str(key))
                continue
            try:
                made = self._tensor(str(key), described)
            except _OtherFormError:
                unread.append(str(key))
                continue
            if made is None:
                if self._bad.isdisjoint(chunk.file for chunk in self._chunks.get(str(key), {}).values()):
                    lost.append(str(key))
            elif name:
                tensors[name] = made
        if lost:
            text = (
                f"{self._directory}: of {counted(len(self._described), 'value')}, no whole tensor lies in its files "
                f"for {len(lost):,}: {listed(lost)}"
            )
            self._opener.fault(DAMAGED, Severity.CRITICAL, text, tensors=lost[:100])
        if unread:
            text = (
                f"{counted(len(unread), 'tensor')} in another form than that of torch.save, not read: {listed(unread)}"
            )
            self._opener.fault(DAMAGED, Severity.INFO, text, tensors=unread[:100])
        return tensors

    def _value(self, chunk: _Chunk) -> Any:
        """Return what lies in a chunk, and keep what loading it would import."""
        file = self._directory / chunk.file
        found = self.archives.contents(file, chunk.start, chunk.length)
        if found is None:
            return None
        self._opener.add_pickle(file, found)
        return found.value

    def _read_value(self, key: str) -> None:
        """Read what is no tensor, such as a step or the settings of an optimizer: loading unpickles it."""
        for chunk in self._chunks.get(key, {}).values():
            value = None if chunk.file in self._bad else self._value(chunk)
            if key in _STEPS and type(value) is int and 0 <= value < _MOST:
                self.step = value

    def _path(self, key: str) -> tuple[str, ...]:
        """Return the keys, from the outermost dict on, under which a value was given to be saved."""
        path = self._paths.get(key)
        if isinstance(path, (tuple, list)) and path:
            return tuple(str(part) for part in path)
        first, _, rest = key.partition(".")
        return (first, rest) if rest and self._is_wrapped else (key,)

    def _tensor(self, key: str, described: Mapping[str, Any]) -> StoredTensor | None:
        """Put a tensor together; None where its chunks do not make one.

        Raises:
            _OtherFormError: a chunk is in another form than that of ``torch.save``.
        """
        shape, dtype = _sizes(described.get("size")), _dtype(described.get("properties"))
        chunks, sizes = self._chunks.get(key, {}), dict(_chunk_sizes(described.get("chunks")))
        if shape is None or sizes.keys() != chunks.keys():
            return None
        if sum(math.prod(size) for size in sizes.values()) != math.prod(shape):
            return None
        pieces = [self._piece(key, dtype, sizes[offsets], chunks[offsets]) for offsets in sorted(chunks)]
        good = [piece for piece in pieces if piece is not None]
        if len(good) < len(pieces) or not good:
            return None
        if len(good) == 1:
            return replace(good[0], shape=shape)
        is_in_order = all(size[1:] == shape[1:] and not any(offsets[1:]) for offsets, size in sizes.items())
        first = good[0]
        return StoredTensor(key, dtype, shape, first.file, first.offset, pieces=tuple(good), is_in_order=is_in_order)

    def _piece(self, key: str, dtype: str, sizes: tuple[int, ...], chunk: _Chunk) -> StoredTensor | None:
        """Find the values of a chunk; None where the file does not have them."""
        if chunk.file in self._bad:
            return None
        if chunk.is_transformed:
            raise _OtherFormError(key)
        found = self._value(chunk)
        if found is None and self.archives.is_safetensors(self._directory / chunk.file, chunk.start):
            raise _OtherFormError(key)
        if not isinstance(found, StoredTensor) or found.shape != sizes or found.dtype != dtype:
            return None
        return replace(found, name=key, storage="")


class _OtherFormError(Exception):
    """Values that an extension has compressed, or another serializer has written."""


def _chunk(index: Any, info: Any) -> tuple[str, tuple[int, ...], _Chunk] | None:
    """Read one entry of ``storage_data``: name and place of what lies there; None where it makes no sense."""
    where, about = _attributes(index), _attributes(info)
    start, length, file = about.get("offset"), about.get("length"), about.get("relative_path")
    if not isinstance(file, str) or type(start) is not int or type(length) is not int:
        return None
    if not (0 <= start < _MOST and 0 <= length < _MOST):
        return None
    place = _sizes(where.get("offset")) or ()
    return str(where.get("fqn")), place, _Chunk(file, start, length, bool(about.get("transform_descriptors")))


def _chunk_sizes(chunks: Any) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the offsets and the sizes of each chunk of a tensor."""
    for each in chunks if isinstance(chunks, list) else ():
        about = _attributes(each)
        offsets, sizes = _sizes(about.get("offsets")), _sizes(about.get("sizes"))
        if offsets is not None and sizes is not None and len(offsets) == len(sizes):
            yield offsets, sizes


def _attributes(found: Any) -> dict[str, Any]:
    return found.attributes() if isinstance(found, Call) else {}


def _dict(found: Any) -> dict[Any, Any]:
    return found if isinstance(found, dict) else {}


def _sizes(found: Any) -> tuple[int, ...] | None:
    """Read a ``torch.Size``; None where it is none."""
    if isinstance(found, Call):
        found = found.arguments[0] if isinstance(found.arguments, tuple) and found.arguments else None
    if not isinstance(found, (tuple, list)) or len(found) > _MOST_AXES:
        return None
    sizes = tuple(found)
    return sizes if all(type(size) is int and 0 <= size <= _MOST for size in sizes) else None


def _dtype(properties: Any) -> str:
    """Read the dtype of ``TensorProperties``, whose state is a tuple that begins with it."""
    for state in properties.state if isinstance(properties, Call) else ():
        if isinstance(state, tuple) and state and isinstance(state[0], Global):
            name = state[0].name.removeprefix("torch.")
            return NAMES.get(name, name)
    return "unknown"


def _is_name(file: str) -> bool:
    """Whether it is the plain name of a file, so that it stays in the directory."""
    return 0 < len(file) <= _LONGEST_NAME and PurePosixPath(file.replace("\\", "/")).name == file and "\0" not in file
