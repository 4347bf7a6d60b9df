"""Files that hold batches, by suffix; nothing in them is executed."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from audioloss_cli import installation
from audioloss_cli.checkpoints.claims import claimed, most_bytes
from audioloss_cli.checkpoints.zips import check_compressed
from audioloss_cli.probe.data._named import as_batch
from audioloss_cli.probe.errors import EnvironmentalError, ProbeError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.pickles import read_pickle
from audioloss_cli.probe.model_io.checkpoint.safetensors_file import read_safetensors

SUFFIXES = (".pt", ".pth", ".safetensors", ".npz")
_STRING = 64  # bytes of an empty Python string, about
ACCEPTED = "a batch is a .pt, .pth, .safetensors or .npz file"


def read_batches(path: Path) -> list[dict[str, Any]]:
    """All batches of a file of one of the ``SUFFIXES``, on the CPU.

    Raises:
        UnreadableError: the file cannot be read, is damaged, or holds something else.
        EnvironmentalError: it takes a package that is not installed.
    """
    if path.suffix in (".safetensors", ".npz"):
        found = _safetensors(path) if path.suffix == ".safetensors" else _npz(path)
    else:
        found = _torch(path)
    batches = [as_batch(item, str(path)) for item in (found if isinstance(found, (list, tuple)) else [found])]
    if not all(batches):
        raise UnreadableError(f"{path} holds a batch without entries; save it with its tensors")
    return batches


def _torch(path: Path) -> Any:
    try:
        return read_pickle(path, _told_foreign)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error


def _told_foreign(path: Path, names: Sequence[str]) -> str:
    remedy = "save a plain dict of tensors: torch.save(dict(batch), ...)"
    return f"{path} holds {', '.join(names)}, which is code and is not loaded; {remedy}"


def _safetensors(path: Path) -> dict[str, Any]:
    try:
        return dict(read_safetensors(path))
    except ModuleNotFoundError as error:
        remedy = installation.command("probe")
        raise EnvironmentalError(f"{path} takes the package 'safetensors': {remedy}") from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error


def _npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            _check_arrays(stream, path)
            with np.load(stream, allow_pickle=False) as archive:
                return {name: _array(path, name, archive) for name in archive.files}
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    except ProbeError:
        raise
    except Exception as error:
        raise UnreadableError(f"{path} is damaged, or numpy.savez did not write it; save the batch again") from error


def _check_arrays(stream: IO[bytes], path: Path) -> None:
    """Hold the headers of all arrays to the bytes that the archive has, before any of it is inflated.

    Raises:
        UnreadableError: they claim more; whatever a damaged archive raises goes on.
    """
    size, whole = path.stat().st_size, 0
    with zipfile.ZipFile(stream) as archive:
        problem = check_compressed(archive, size)
        for entry in archive.infolist() if not problem else ():
            with archive.open(entry) as member:
                claims, length = _claims_of(member)
            whole += claims
            if whole > most_bytes(size):
                problem = f"{size:,} bytes claim to hold more than {most_bytes(size):,}; save the batch again"
            elif length not in (None, entry.file_size):
                problem = f"{entry.filename[:80]} holds {entry.file_size:,} bytes where its header says {length:,}"
    if problem:
        raise UnreadableError(f"{path} is damaged: {problem}")
    stream.seek(0)


def _claims_of(member: IO[bytes]) -> tuple[int, int | None]:
    """Bytes that an array comes to as a tensor or a list, and those of its member; None for one of Python objects."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    each = max(dtype.itemsize, np.int64().itemsize) + (_STRING if dtype.kind in "US" else 0)
    length = None if dtype.hasobject else member.tell() + math.prod(shape) * dtype.itemsize
    return claimed(shape, each), length


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
