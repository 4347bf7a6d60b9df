"""Files of safetensors: 8 bytes with the length of a JSON header, the header, and the bytes of all tensors.

Layout: https://github.com/huggingface/safetensors, which wants every byte behind the header to be of one tensor.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from audioloss_cli.checkpoints.stored import ITEMSIZES, Fault, StoredFile, StoredTensor
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Severity

SUFFIXES = (".safetensors",)

DAMAGED, TWICE = "damaged-file", "duplicate-tensor"
_LENGTH = 8
_LONGEST_HEADER = 100_000_000  # that the library reads
_MOST_COMMAS = 2_000_000  # some 350,000 tensors; the largest models have half of them in one file
_MOST_AXES = 64
_MOST, _BITS = 1 << 60, 8
_METADATA = "__metadata__"


class _Entry(NamedTuple):
    """One tensor as the header has it, once it is known to make sense; bytes are counted from the header's end."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def claims(head: bytes, path: Path) -> bool:
    """Tell by the suffix, or by a length that is followed by a JSON object."""
    length = int.from_bytes(head[:_LENGTH], "little")
    return path.name.lower().endswith(SUFFIXES) or (head[8:10] in (b'{"', b"{}") and length <= _LONGEST_HEADER)


def read(path: Path) -> StoredFile:
    """Read the header; a tensor that does not lie in the file as a whole is left out."""
    stored = StoredFile(path, "safetensors")
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(_LENGTH)
        length = int.from_bytes(start, "little")
        problem = _problem_of_length(start, length, size)
        text = b"" if problem else stream.read(length)
    if problem or (problem := _problem_of_text(text)):
        stored.faults.append(_damaged(f"{path}: {problem}", size=size))
        return stored
    try:
        header = _Header(text)
    except (ValueError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        stored.faults.append(_damaged(f"{path}: its header is no JSON that can be read ({told})", size=size))
        return stored
    stored.metadata = header.metadata
    stored.faults += header.faults(path)
    _take_tensors(stored, header.entries, _LENGTH + length, size)
    return stored


def _problem_of_length(start: bytes, length: int, size: int) -> str:
    if not size:
        return "it is empty: the save did not finish, or the disk was full"
    if len(start) < _LENGTH:
        return f"it ends after {counted(size, 'byte')}, in the length of its header"
    if length > _LONGEST_HEADER:
        return f"its header claims {length:,} bytes, more than the {_LONGEST_HEADER:,} that may be read"
    if length > size - _LENGTH:
        return f"its header claims {length:,} bytes and {size - _LENGTH:,} are there: it is cut short"
    return ""


def _problem_of_text(text: bytes) -> str:
    if not text.startswith(b"{"):
        return "its header does not begin with {, so this is no header of safetensors"
    commas = text.count(b",")
    if commas > _MOST_COMMAS:
        return f"its header holds {commas:,} values, more than any model needs; it was not read"
    return ""


class _Header:
    """What the JSON of a header says, and what makes no sense in it."""

    def __init__(self, text: bytes) -> None:
        """Parse.

        Raises:
            ValueError: it is no JSON object in UTF-8.
            RecursionError: it is nested too deeply.
        """
        self._twice = Counter[str]()
        found = json.loads(text.decode("utf-8"), object_pairs_hook=self._object)
        if not isinstance(found, dict):  # trailing text would have been refused
            raise ValueError("it is no object")  # noqa: TRY004  # as for other JSON
        metadata = found.pop(_METADATA, {})
        self._metadata_is_odd = not isinstance(metadata, dict) or not all(
            isinstance(value, str) for value in metadata.values()
        )
        strings = metadata.items() if isinstance(metadata, dict) else ()
        self.metadata = {key: value for key, value in strings if isinstance(value, str)}
        self.entries: list[_Entry] = []
        self._odd: list[str] = []
        for name, entry in found.items():
            problem = _problem_of_entry(entry)
            if problem:
                self._odd.append(f"{name} {problem}")
            else:
                self.entries.append(_Entry(name, entry["dtype"], tuple(entry["shape"]), *entry["data_offsets"]))

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Make a dict, and remember keys that it hides: what is read of two, programs do not agree upon."""
        made = dict(pairs)
        if len(made) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            self._twice.update({key: count for key, count in counts.items() if count > 1})
        return made

    def faults(self, path: Path) -> Iterator[Fault]:
        """Yield what makes no sense."""
        if self._twice:
            names = listed(self._twice)
            text = f"{path}: its header has {counted(len(self._twice), 'key')} more than once: {names}"
            yield Fault(TWICE, Severity.CRITICAL, text, {"file": path.name, "names": list(self._twice)[:100]})
        if self._odd:
            text = f"{path}: its header makes no sense of {counted(len(self._odd), 'tensor')}: {listed(self._odd)}"
            yield _damaged(text, tensors=len(self._odd))
        if self._metadata_is_odd:
            text = f"{path}: {_METADATA} holds more than strings, which the library refuses to load"
            yield _damaged(text)


def _problem_of_entry(entry: Any) -> str:
    """Say what keeps an entry from being a tensor."""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return "has no dtype"
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _are_counts(shape) or len(shape) > _MOST_AXES:
        return f"has no shape but {shape!r:.60}"
    if not _are_counts(offsets) or len(offsets) != len(("begin", "end")):
        return f"has no data_offsets but {offsets!r:.60}"
    if offsets[0] > offsets[1]:
        return f"ends before it begins ({offsets!r:.60})"
    return _problem_of_size(entry["dtype"], shape, offsets)


def _are_counts(found: Any) -> TypeGuard[list[int]]:
    """Tell whether it is a list of integers, none of them below zero."""
    return isinstance(found, list) and all(type(number) is int and number >= 0 for number in found)


def _problem_of_size(dtype: str, shape: list[int], offsets: list[int]) -> str:
    """Hold what a shape needs to the bytes that there are."""
    elements, nbytes, itemsize = math.prod(shape), offsets[1] - offsets[0], ITEMSIZES.get(dtype)
    if max([elements, *shape, *offsets]) > _MOST:
        return f"claims more than any file has ({shape!r:.60}, {offsets!r:.60})"
    if itemsize is not None and elements * itemsize != nbytes:
        return f"has {nbytes:,} bytes, and its shape {shape!r:.60} of {dtype} needs {elements * itemsize:,}"
    if itemsize is None and elements > nbytes * _BITS:
        return f"has {nbytes:,} bytes, fewer than its shape {shape!r:.60} needs of any dtype"
    return ""


def _take_tensors(stored: StoredFile, entries: list[_Entry], start: int, size: int) -> None:
    """Add the tensors that lie in the file, and what is wrong with their places."""
    there = size - start
    entries = sorted(entries, key=lambda entry: (entry.begin, entry.end))
    lost = [entry for entry in entries if entry.end > there]
    end, gaps, overlaps = 0, list[str](), list[str]()
    for entry in entries:
        if entry.begin < end and entry.end > entry.begin:
            overlaps.append(entry.name)
        elif entry.begin > end:
            gaps.append(f"{entry.begin - end:,} before {entry.name[:100]}")
        end = max(end, entry.end)
        if entry.end <= there:
            stored.tensors[entry.name] = StoredTensor(
                entry.name, entry.dtype, entry.shape, stored.path, start + entry.begin
            )
    stored.faults += _faults_of_places(stored.path, len(entries), lost, overlaps, gaps)
    if end < there and not stored.faults:
        text = f"{stored.path}: {counted(there - end, 'byte')} behind the last tensor are of none"
        stored.faults.append(_damaged(text, trailing=there - end))
    elif lost:
        lacking = "1 byte is" if end - there == 1 else f"{end - there:,} bytes are"
        text = (
            f"{stored.path} is cut short: {lacking} missing, and {counted(len(lost), 'tensor')} of "
            f"{len(entries):,} with them: {listed(entry.name for entry in lost)}"
        )
        stored.faults.append(_damaged(text, tensors=len(lost), bytes_there=size))


def _faults_of_places(
    path: Path, count: int, lost: list[_Entry], overlaps: list[str], gaps: list[str]
) -> Iterator[Fault]:
    if overlaps:
        text = f"{path}: {len(overlaps):,} of {counted(count, 'tensor')} upon another one: {listed(overlaps)}"
        yield _damaged(text, tensors=len(overlaps))
    if gaps and not lost and not overlaps:
        yield _damaged(f"{path}: bytes between tensors are of none: {listed(gaps)}", gaps=len(gaps))


def _damaged(text: str, **numbers: int) -> Fault:
    return Fault(DAMAGED, Severity.CRITICAL, text, numbers)
