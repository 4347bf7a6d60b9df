"""Files of ``torch.save``: looked at before torch reads them, and read without running what they pickle."""

import io
import mmap
import re
import struct
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from audioloss_cli.checkpoints.claims import most_bytes
from audioloss_cli.checkpoints.pickles.dry_run import Outline, outline
from audioloss_cli.checkpoints.pickles.values import Refusal
from audioloss_cli.checkpoints.zips import read_stored
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.zips import check_archive
from audioloss_cli.probe.model_io.device import is_out_of_memory

_NESTED = ("state_dict", "model_state_dict", "model", "module")
_ZIP = b"PK\x03\x04"
_COUNT = struct.Struct("<q")
_MOST_NAMED, _LONGEST = 5, 100
_AGAIN = "copy or save it again"
_OWNERS = {"OrderedDict": OrderedDict, "Parameter": torch.nn.Parameter, "Tensor": Tensor}
_SAFE = (2, 10)  # before it, a file could make the weights_only loader write where it should not
_TRUSTED: ContextVar[bool] = ContextVar("trusted", default=False)


@contextmanager
def trusting(trusted: bool) -> Iterator[None]:  # it is the question itself
    """What the user says of pickles for as long as this lasts: that they come from where nobody meddles with them."""
    before = _TRUSTED.set(trusted or _TRUSTED.get())
    try:
        yield
    finally:
        _TRUSTED.reset(before)


def refuse_unsafe(path: object) -> None:
    """Refuse a pickle where the loader of the torch that is installed is not safe from it.

    Raises:
        UnreadableError: torch is older than 2.10, and nobody said that the file is trusted.
    """
    version = tuple(map(int, re.findall(r"\d+", torch.__version__)[:2]))
    if version < _SAFE and not _TRUSTED.get():
        raise UnreadableError(
            f"{path} is a pickle, by which the loader of torch {torch.__version__} can be made to corrupt memory: save "
            "it as safetensors, install torch 2.10 or newer, or pass --trust-checkpoint if you know where it comes from"
        )


def read_pickle(path: Path, foreign: Callable[[Path, Sequence[str]], str] | None = None) -> Any:
    """What a file holds: tensors on the CPU, mapped where the format allows, and plain values.

    Args:
        path: the file.
        foreign: words the refusal of what would have to run, from the path and the names that the file asks for.

    Raises:
        UnreadableError: it is damaged, claims more than it holds, or it would have to run code; or see
            ``refuse_unsafe``.
    """
    with path.open("rb") as stream:
        zipped = stream.read(len(_ZIP)) == _ZIP
    found = _outline_of_file(path, zipped=zipped)
    if found.foreign:
        raise UnreadableError((foreign or _told_foreign)(path, shortened(found.foreign)))
    _check_claims(found, path.stat().st_size, path)
    del found
    refuse_unsafe(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except OSError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UnreadableError(f"{path} is damaged, or no file of torch.save: {_first_line(error)}") from error


def foreign_names(data: bytes, name: str) -> list[str]:
    """What an archive of torch.save asks for beyond tensors and plain values.

    Raises:
        UnreadableError: it is damaged, or claims more than it holds.
    """
    found = _outline_of_zip(io.BytesIO(data), name)
    _check_claims(found, len(data), name)
    return shortened(found.foreign)


def shortened(names: Sequence[str]) -> list[str]:
    """So many names, and so much of each, as a message of one line holds."""
    cut = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..." for name in names]
    return cut if len(cut) <= _MOST_NAMED else [*cut[:_MOST_NAMED], f"{len(cut) - _MOST_NAMED:,} more"]


def _outline_of_file(path: Path, *, zipped: bool) -> Outline:
    with path.open("rb") as stream:
        if zipped:
            return _outline_of_zip(stream, path)
        if not path.stat().st_size:
            raise UnreadableError(f"{path} is empty, so it is damaged or cut short; {_AGAIN}")
        # a mapped file gives what there is; others allocate as much as a length in the pickle says
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return _outline_of_legacy(mapped, path)


def _outline_of_zip(stream: IO[bytes], name: object) -> Outline:
    """Of ``data.pkl``; each storage must have the size that is said of it, for torch maps what is said."""
    entries = check_archive(stream, name)
    if "constants.pkl" in entries:
        raise UnreadableError(f"{name} is a TorchScript archive, whose code is not run: save the state dict alone")
    if "data.pkl" not in entries:
        raise UnreadableError(f"{name} is no file of torch.save: there is no data.pkl in it; {_AGAIN}")
    found = _outlined(io.BytesIO(read_stored(stream, entries["data.pkl"])), name)
    sizes = {place: entry.file_size for place, entry in entries.items()}
    wrong = next((key for key, each in found.storages.items() if sizes.get(f"data/{key}") != each.nbytes), None)
    if wrong is not None and not found.foreign:
        raise UnreadableError(f"{name}: its storage {wrong[:80]!r} is missing or of another size; {_AGAIN}")
    return found


def _outline_of_legacy(stream: Any, path: Path) -> Outline:
    """Five pickles, then the storages, each with its length before it (torch/serialization.py, ``_legacy_save``)."""
    magic = _outlined(stream, path)
    if magic.value != torch.serialization.MAGIC_NUMBER:
        names = f", and asks for {', '.join(shortened(magic.foreign))}" if magic.foreign else ""
        raise UnreadableError(f"{path} is a pickle that torch.save did not write{names}; save the state dict alone")
    if _outlined(stream, path).value != torch.serialization.PROTOCOL_VERSION:
        raise UnreadableError(f"{path} is of a version that torch does not read; {_AGAIN}")
    _outlined(stream, path)
    found = _outlined(stream, path)
    if found.foreign:
        return found
    keys = _outlined(stream, path).value
    if not isinstance(keys, list) or sorted(map(repr, keys)) != sorted(map(repr, found.storages)):
        raise UnreadableError(f"{path} is damaged: its list of storages is not that of its tensors; {_AGAIN}")
    left = path.stat().st_size - stream.tell()
    for key in keys:
        storage = found.storages[key]
        left -= _COUNT.size + storage.nbytes
        if left < 0:
            raise UnreadableError(f"{path} is cut short: its storages claim more bytes than follow; {_AGAIN}")
        if _COUNT.unpack(stream.read(_COUNT.size))[0] != storage.elements:
            raise UnreadableError(f"{path} is damaged: its storage {key[:80]!r} is of another size; {_AGAIN}")
        stream.seek(storage.nbytes, io.SEEK_CUR)
    return found


def _outlined(stream: IO[bytes], name: object) -> Outline:
    try:
        return outline(stream, trusted=_trusted(), has_attribute=_has_attribute)
    except Refusal as refusal:
        raise UnreadableError(
            f"{name} {refusal}; save the state dict, or the batch, again with torch.save"
        ) from refusal


def _trusted() -> frozenset[str]:
    """Names of what the code of the user has declared safe."""
    safe = [each for each in torch.serialization.get_safe_globals() if not isinstance(each, tuple)]
    return frozenset(f"{each.__module__}.{each.__qualname__}" for each in safe)


def _has_attribute(owner: str, name: str) -> bool:
    return hasattr(_OWNERS[owner], name)


def _check_claims(found: Outline, size: int, name: object) -> None:
    if found.claimed > most_bytes(size):
        raise UnreadableError(
            f"{name}: its tensors claim more than {most_bytes(size):,} bytes, and the file has {size:,}; save them "
            "contiguous"
        )


def _told_foreign(path: Path, names: Sequence[str]) -> str:
    return (
        f"{path} asks for {', '.join(names)}, which is not run: save the state dict alone, as safetensors or torch.save"
    )


def state_dict_of(found: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors by name, taken out of what trainers wrap them in, and a note of where they lay.

    Raises:
        UnreadableError: there are none.
    """
    where: list[str] = []
    while isinstance(found, Mapping):
        inner = next((key for key in _NESTED if _has_tensors(found.get(key))), None)
        if inner is None:
            break
        where.append(inner)
        found = found[inner]
    if not isinstance(found, Mapping) or not (state := _tensors_of(found)):
        raise UnreadableError(f"{path} holds no state dict; save model.state_dict(), alone or under 'state_dict'")
    return state, [f"the weights are those under {'.'.join(where)!r}"] if where else []


def _tensors_of(found: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in found.items() if isinstance(name, str) and isinstance(tensor, Tensor)}


def _has_tensors(found: Any) -> bool:
    return isinstance(found, Mapping) and (
        any(isinstance(value, Tensor) for value in found.values())
        or any(_has_tensors(found.get(key)) for key in _NESTED)
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200].removesuffix(":")
