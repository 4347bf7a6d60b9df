"""Archives of ``torch.save`` since torch 1.6: a zip with a pickle, ``data.pkl``, and an entry for each storage.

Layout: caffe2/serialize/inline_container.h of torch; the archive itself as in ``checkpoints/zips.py``.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO

from audioloss_cli.checkpoints import zips
from audioloss_cli.checkpoints.formats._named import take_tensors
from audioloss_cli.checkpoints.pickles import Location, PickleContents, Storage, read_pickle_stream
from audioloss_cli.checkpoints.stored import Fault, StoredFile
from audioloss_cli.checkpoints.words import clipped
from audioloss_cli.model import Severity

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
DAMAGED, UNSAFE = "damaged-file", "unsafe-pickle"
_ZIP = b"PK\x03\x04"
_SHOWN = 3


def claims(head: bytes, path: Path) -> bool:
    """Tell by the first entry: an archive of arrays has one called ``*.npy``."""
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(_ZIP) and path.suffix != ".npz" and b".npy" not in head[30 : 30 + length]


def read(path: Path) -> StoredFile:
    """Read the table of contents and the pickle."""
    file = StoredFile(path, "torch_zip")
    with path.open("rb") as stream:
        try:
            _read_archive(file, stream)
        except zips.ERRORS as error:
            _read_remains(file, stream, error)
    return file


def _read_archive(file: StoredFile, stream: IO[bytes]) -> None:
    with zips.open_archive(stream) as archive:
        problems = zips.problems(archive)
        entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
    if "constants.pkl" in entries:
        text = f"{file.path} is a TorchScript archive: it holds code beside its tensors, and neither was looked at"
        file.faults.append(Fault(UNSAFE, Severity.WARNING, text))
        file.metadata["kind"] = "TorchScript archive"
        return
    file.faults += [Fault(DAMAGED, each.severity, f"{file.path}: {each.message}") for each in problems]
    if any(each.severity is Severity.CRITICAL for each in problems):
        return
    if "data.pkl" not in entries:
        text = f"{file.path} is a zip archive, but none of torch.save: there is no data.pkl in it"
        file.faults.append(Fault(DAMAGED, Severity.CRITICAL, text))
        return
    size = file.path.stat().st_size
    locations = _Locations(file.path, stream, entries)
    pickle = io.BytesIO(zips.read_entry(stream, entries["data.pkl"], size))
    contents = read_pickle_stream(pickle, file.path, locations.find)
    file.imports = contents.imports
    file.faults += contents.faults
    if pickle.read(1):
        text = f"{file.path}: something follows the pickle in its data.pkl, which torch.save does not write"
        file.faults.append(Fault(UNSAFE, Severity.WARNING, text))
    _check_storages(file, contents, entries)
    take_tensors(file, contents.value, size)
    if "byteorder" in entries and zips.read_entry(stream, entries["byteorder"], size) == b"big":
        _tell_big_endian(file)


class _Locations:
    """Where the storages of an archive lie."""

    def __init__(self, path: Path, stream: IO[bytes], entries: Mapping[str, zipfile.ZipInfo]) -> None:
        self._path, self._stream, self._entries = path, stream, entries
        self.find = cache(self._find)

    def _find(self, storage: Storage) -> Location | None:
        entry = self._entries.get(f"data/{storage.key}")
        if entry is None:
            return None
        if entry.compress_type != zipfile.ZIP_STORED:
            return Location(self._path, 0, entry.file_size, entry.filename)
        return Location(self._path, zips.data_offset(self._stream, entry), entry.file_size)


def _check_storages(file: StoredFile, contents: PickleContents, entries: Mapping[str, zipfile.ZipInfo]) -> None:
    """Each storage has the size that the pickle says: torch maps as much as is said."""
    sizes = {key: entries[f"data/{key}"].file_size for key in contents.storages if f"data/{key}" in entries}
    wrong = [each for key, each in contents.storages.items() if key in sizes and sizes[key] != each.nbytes]
    if wrong:
        said = ", ".join(
            f"{clipped(each.key, 80)} ({sizes[each.key]:,} bytes, {each.nbytes:,} said)" for each in wrong[:_SHOWN]
        )
        text = f"{file.path}: {len(wrong)} of its storages have another size than its pickle says: {said}"
        file.faults.append(Fault(DAMAGED, Severity.CRITICAL, text, {"storages": len(wrong)}))
    lost = [key for key in contents.storages if key not in sizes]
    if lost:
        text = f"{file.path}: {len(lost)} of its storages are missing, such as {lost[0][:80]!r}"
        file.faults.append(Fault(DAMAGED, Severity.CRITICAL, text, {"storages": len(lost)}))


def _tell_big_endian(file: StoredFile) -> None:
    """Values of the other byte order are not read."""
    file.tensors = {name: replace(each, dtype=f"{each.dtype} (big-endian)") for name, each in file.tensors.items()}
    text = f"{file.path} was written on a machine of the other byte order; its values were not read"
    file.faults.append(Fault(DAMAGED, Severity.WARNING, text))


def _read_remains(file: StoredFile, stream: IO[bytes], error: Exception) -> None:
    """What is left where the table of contents is not: torch.save writes the pickle first and the table last."""
    words = " ".join(str(error).split())[:200]
    text = f"{file.path} is damaged ({words})"
    if zips.is_cut_short(stream):
        text = (
            f"{file.path} is cut short: the table of contents at its end is missing, as an interrupted save or copy "
            "leaves it, and torch cannot load it"
        )
    size = file.path.stat().st_size
    file.faults.append(Fault(DAMAGED, Severity.CRITICAL, text, {"size": size}))
    start = zips.first_data_offset(stream)
    if start:
        stream.seek(start)
        remains = io.BytesIO(stream.read(min(max(size - start, 0), zips.LONGEST_REMAINS)))
        file.imports = read_pickle_stream(remains, file.path).imports
