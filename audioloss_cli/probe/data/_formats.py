"""Files that hold batches, by suffix; nothing in them is executed."""

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audioloss_cli.probe.data._named import as_batch
from audioloss_cli.probe.errors import EnvironmentalError, ProbeError, UnreadableError

SUFFIXES = (".pt", ".pth", ".safetensors", ".npz")
ACCEPTED = "a batch is a .pt, .pth, .safetensors or .npz file"


def read_batches(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """All batches of a file of one of the ``SUFFIXES``, on the CPU, and notes.

    Raises:
        UnreadableError: the file cannot be read, is damaged, or holds something else.
        EnvironmentalError: it takes a package that is not installed.
    """
    if path.suffix in (".safetensors", ".npz"):
        found, notes = _safetensors(path) if path.suffix == ".safetensors" else _npz(path), []
    else:
        found, notes = _torch(path), _checksums(path)
    batches = [as_batch(item, str(path)) for item in (found if isinstance(found, (list, tuple)) else [found])]
    if not all(batches):
        raise UnreadableError(f"{path} holds a batch without entries; save it with its tensors")
    return batches, notes


def _torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        blocked = re.search(r"GLOBAL (\S+)", str(error))
        if blocked is None:
            raise UnreadableError(f"{path} is damaged, or torch.save did not write it; save the batch again") from error
        remedy = "save a plain dict of tensors: torch.save(dict(batch), ...)"
        raise UnreadableError(f"{path} holds {blocked[1]}, which is code and is not loaded; {remedy}") from error
    except Exception as error:
        raise UnreadableError(f"{path} is damaged, or torch.save did not write it; save the batch again") from error


def _checksums(path: Path) -> list[str]:
    """torch.load ignores them; one that is wrong is no proof, for they can be switched off when saving."""
    if not zipfile.is_zipfile(path):
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except Exception as error:  # noqa: BLE001  # zipfile has no one class for its errors
        return [f"{path}: its checksums cannot be read ({type(error).__name__}); the file may be damaged."]
    return [] if bad is None else [f"{path}: the checksum of {bad} is wrong; the file may be damaged."]


def _safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError  # noqa: PLC0415  # part of an extra
        from safetensors.torch import load_file  # noqa: PLC0415
    except ImportError as error:
        remedy = "pip install 'audioloss-cli[probe]'"
        raise EnvironmentalError(f"{path} takes the package 'safetensors': {remedy}") from error
    try:
        return dict(load_file(path))
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise UnreadableError(
            f"{path} is no safetensors file, or is damaged ({error}); save the batch again"
        ) from error


def _npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: _array(path, name, archive) for name in archive.files}
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    except ProbeError:
        raise
    except Exception as error:
        raise UnreadableError(f"{path} is damaged, or numpy.savez did not write it; save the batch again") from error


def _array(path: Path, name: str, archive: Any) -> Any:
    """Integers as int64, flags and floats as they are, text as lists."""
    try:
        array = archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise UnreadableError(f"{path}: array {name!r} holds Python objects; save it as numbers") from error
    kind = array.dtype.kind
    if kind in "US":
        return array.tolist()
    if kind not in "biuf":
        raise UnreadableError(f"{path}: array {name!r} is of dtype {array.dtype}; save it as numbers")
    if kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise UnreadableError(f"{path}: array {name!r} holds ids beyond int64; save it as int64")
    native = (
        np.int64
        if kind in "iu"
        else np.float64
        if array.itemsize > np.float64().itemsize
        else array.dtype.newbyteorder("=")
    )
    return torch.from_numpy(array.astype(native, copy=False))
