"""Files of ``torch.save`` before torch 1.6, and bare pickles.

Layout of the former (torch/serialization.py, ``_legacy_save``): four pickles (a magic number, a version, facts about
the machine, the value), one more with the keys of the storages, then each storage behind the number of its elements.
"""

import mmap
import struct
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from audioloss_cli.checkpoints.formats._named import take_tensors
from audioloss_cli.checkpoints.pickles import Location, PickleContents, Storage, read_pickle_stream
from audioloss_cli.checkpoints.stored import Fault, StoredFile
from audioloss_cli.model import Severity

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
DAMAGED, UNSAFE = "damaged-file", "unsafe-pickle"
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTO, _LATEST = 0x80, 5
_COUNT = struct.Struct("<q")
_MOST_PICKLES = 1000


def claims(head: bytes, path: Path) -> bool:
    """Tell by the opcode that says the protocol, as pickles have it since Python 2.3."""
    del path
    return len(head) > 1 and head[0] == _PROTO and head[1] <= _LATEST and head[2:8] != bytes(6)


def read(path: Path) -> StoredFile:
    """Walk the pickles, and find the storages behind them."""
    file = StoredFile(path, "torch_legacy")
    if not path.stat().st_size:
        file.faults.append(Fault(DAMAGED, Severity.CRITICAL, f"{path} is empty: the save did not finish"))
        return file
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        first = read_pickle_stream(cast("IO[bytes]", mapped), path)
        if first.value == _MAGIC and not first.faults:
            _read_legacy(file, mapped)
        else:
            _read_bare(file, mapped, first)
    return file


def _read_legacy(file: StoredFile, stream: Any) -> None:
    """The value is walked twice: where its storages lie is known once it was."""
    for words in ("version", "facts about the machine"):
        head = read_pickle_stream(stream, file.path)
        _take(file, head)
        if head.faults:
            return
        if words != "version" and isinstance(head.value, dict) and head.value.get("little_endian") is False:
            file.metadata["byteorder"] = "big"
    start = stream.tell()
    outline = read_pickle_stream(stream, file.path)
    if any(fault.code == DAMAGED for fault in outline.faults):
        _take(file, outline)
        return
    keys = read_pickle_stream(stream, file.path)
    _take(file, keys)
    locations = _locations(file, stream, outline, keys.value)
    stream.seek(start)
    contents = read_pickle_stream(stream, file.path, lambda storage: locations.get(storage.key))
    _take(file, contents)
    take_tensors(file, contents.value, len(stream))
    if file.metadata.get("byteorder") == "big":
        file.tensors = {name: replace(each, dtype=f"{each.dtype} (big-endian)") for name, each in file.tensors.items()}
        text = f"{file.path} was written on a machine of the other byte order; its values were not read"
        file.faults.append(Fault(DAMAGED, Severity.WARNING, text))


def _locations(file: StoredFile, stream: Any, outline: PickleContents, keys: Any) -> dict[str, Location]:
    """Find each storage, in the order of the list of keys."""
    found: dict[str, Location] = {}
    listed = [key for key in keys if type(key) is str] if type(keys) is list else []
    if set(listed) != set(outline.storages) or len(set(listed)) < len(listed):
        text = f"{file.path} is damaged: its list of storages is not that of its tensors"
        file.faults.append(Fault(DAMAGED, Severity.CRITICAL, text))
    place = stream.tell()
    for key in dict.fromkeys(listed):
        storage = outline.storages.get(key)
        if storage is None:
            break
        fault = _problem(storage, stream, place)
        if fault:
            file.faults.append(Fault(DAMAGED, Severity.CRITICAL, f"{file.path} {fault}"))
            break
        found[key] = Location(file.path, place + _COUNT.size, storage.nbytes)
        place += _COUNT.size + storage.nbytes
    else:
        if place < len(stream):
            text = f"{file.path}: {len(stream) - place:,} bytes follow its last storage"
            file.faults.append(Fault(DAMAGED, Severity.WARNING, text))
    return found


def _problem(storage: Storage, stream: Any, place: int) -> str:
    if place + _COUNT.size + storage.nbytes > len(stream):
        return "is cut short: its storages claim more bytes than follow, as an interrupted save or copy leaves it"
    stream.seek(place)
    elements = _COUNT.unpack(stream.read(_COUNT.size))[0]
    return "" if elements == storage.elements else f"is damaged: its storage {storage.key[:80]!r} has another size"


def _read_bare(file: StoredFile, stream: Any, first: PickleContents) -> None:
    """One pickle, or several: whoever reads the file may read them all."""
    _take(file, first)
    size = len(stream)
    take_tensors(file, first.value, size)
    count = 1
    while stream.tell() < size and not first.faults:
        place, count = stream.tell(), count + 1
        contents = read_pickle_stream(stream, file.path)
        if count > _MOST_PICKLES or (contents.faults and not contents.imports):
            text = f"{file.path}: {size - place:,} bytes follow its {count - 1:,}. pickle"
            file.faults.append(Fault(UNSAFE, Severity.WARNING, text))
            return
        _take(file, contents)
        if contents.faults:
            return


def _take(file: StoredFile, contents: PickleContents) -> None:
    file.imports = sorted({*file.imports, *contents.imports})
    file.faults += [fault for fault in contents.faults if fault not in file.faults]
