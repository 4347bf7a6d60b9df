"""Files of ``torch.save``: read without running what they pickle, and with the checksums that torch.load ignores."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

import torch
from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError

_NESTED = ("state_dict", "model_state_dict", "model", "module")
_ZIP = b"PK\x03\x04"


def read_pickle(path: Path) -> Any:
    """What a file holds: tensors on the CPU, mapped where the format allows, and plain values.

    Raises:
        UnreadableError: it is damaged, or it would have to run code; the globals it asks for are named.
    """
    with path.open("rb") as stream:
        zipped = stream.read(len(_ZIP)) == _ZIP
    if zipped:
        check_zip(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except UnpicklingError as error:
        raise UnreadableError(_blocked(path, str(error))) from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        raise UnreadableError(f"{path} is no file of torch.save, or damaged: {_first_line(error)}") from error


def check_zip(path: Path) -> None:
    """Compare every entry with its checksum; torch can be told to write none, which shows as zeros.

    Raises:
        UnreadableError: an entry is damaged, or the end of the file is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unchecked = all(entry.CRC == 0 for entry in archive.infolist())
            bad = None if unchecked else archive.testzip()
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise UnreadableError(f"{path} is damaged or cut short ({error}); copy or save it again") from error
    if bad is not None:
        raise UnreadableError(f"{path}: the checksum of {bad} is wrong, its bytes have changed; copy or save it again")


def unsafe_globals(stream: str | IO[bytes]) -> list[str]:
    """What a file of torch.save asks for beyond tensors and plain values."""
    found: list[str] = torch.serialization.get_unsafe_globals_in_checkpoint(stream)
    return sorted(found)


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


def _blocked(path: Path, message: str) -> str:
    try:
        names = unsafe_globals(str(path))
    except Exception:  # noqa: BLE001  # it lists those of zip files alone, and gives up on a damaged one
        names = sorted(set(re.findall(r"GLOBAL ([\w.]+)", message)))
    if not names:
        return f"{path} cannot be read without running what it pickles, which is not done: save the state dict alone"
    return (
        f"{path} asks for {', '.join(names)}, which is not run: save the state dict alone, as safetensors or torch.save"
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(":")
