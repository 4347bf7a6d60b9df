"""Plain data: tensors as they lie in files, one file, and one checkpoint of any kind."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.model import Severity

#: Bytes of one element, by the names that safetensors has for dtypes; every format gives these names.
ITEMSIZES: Mapping[str, int] = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "C128": 16,
    "C64": 8,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
}


class ReadError(Exception):
    """A path that is no checkpoint, or of which nothing can be read; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor, and where its bytes lie.

    Attributes:
        name: as the file has it.
        dtype: a key of ``ITEMSIZES``; any other name is of a dtype whose values are not read.
        shape: length of each axis.
        file: that it lies in.
        offset: byte of the file at which its first element lies; within the entry where it is compressed.
        strides: elements from one place of an axis to the next; None where it is contiguous.
        entry: name of the compressed entry of an archive that it lies in; empty where it lies in the file as it is.
        storage: what tensors that share bytes have in common; empty where nothing is shared.
        pieces: what lies in each place, where it lies in several, as a sharded training saves it; empty where it lies
            in one. One after another they hold its values; ``file`` and ``offset`` are those of the first.
        is_in_order: whether the pieces, one after another, are in the order of the shape. They are not where it is cut
            along another axis than the first: then values count, and their places do not.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    strides: tuple[int, ...] | None = None
    entry: str = ""
    storage: str = ""
    pieces: tuple["StoredTensor", ...] = ()
    is_in_order: bool = True

    @property
    def elements(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Of its values; 0 for a dtype that is not known."""
        return self.elements * ITEMSIZES.get(self.dtype, 0)


class Fault(NamedTuple):
    """What is wrong with files, found while they were opened.

    Attributes:
        code: of the check that tells of it, such as ``damaged-file``.
        severity: how bad it is.
        message: a sentence that names the file and the place.
        evidence: the numbers, ready for JSON.
    """

    code: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any] = {}


@dataclass(slots=True)
class StoredFile:
    """What one file of tensors holds.

    Attributes:
        path: of the file.
        format: name of the module in ``formats`` that read it.
        tensors: by name; nested names are joined with dots.
        metadata: what the header says beside tensors; plain strings.
        value: of a pickle, its plain values: dicts, lists, tuples, numbers, strings; a ``StoredTensor`` where a tensor
            was, a ``pickles.Call`` where something would have been called. None for other formats.
        imports: names that loading it would import, whether they are torch's own or not, sorted.
        faults: what is wrong with it.
    """

    path: Path
    format: str
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    value: Any = None
    imports: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Checksum(NamedTuple):
    """What bytes in the middle of a file must add up to.

    Attributes:
        file: that they lie in.
        offset: of the first byte.
        nbytes: how many there are.
        crc32: of these bytes.
    """

    file: Path
    offset: int
    nbytes: int
    crc32: int


class Part(NamedTuple):
    """What a training needs to go on, beside weights: an optimizer, a scheduler, random states, a trainer's state.

    Attributes:
        name: ``optimizer``, ``scheduler``, ``random states`` or ``trainer state``.
        file: that it lies in; several ranks have one each.
        step: of the training, where it says so.
    """

    name: str
    file: Path
    step: int | None = None


@dataclass(slots=True)
class Checkpoint:
    """One checkpoint, opened: its headers were read, and no values.

    Attributes:
        path: the file, or the directory.
        kind: in words, such as ``safetensors file`` or ``HF Trainer checkpoint``.
        tensors: of the model (or of the adapter), by the names that the checkpoint has; without those of optimizers.
        state: tensors of optimizers, as far as they are not the model's.
        files: everything that it is made of, sorted.
        config: config.json; empty where there is none.
        adapter_config: adapter_config.json of PEFT; empty where there is none.
        step: of the training, where something says it.
        parts: what a training needs to go on.
        resumable: whether this kind of checkpoint is meant for that: what is missing is then a fault.
        imports: file -> names that loading it would import, sorted.
        checksums: of archives that lie in the middle of a file.
        faults: what is wrong with its files.
        notes: what the reader must know about how it was read.
    """

    path: Path
    kind: str
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    state: dict[str, StoredTensor] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)
    adapter_config: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None
    parts: list[Part] = field(default_factory=list)
    resumable: bool = False
    imports: dict[Path, list[str]] = field(default_factory=dict)
    checksums: list[Checksum] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, file: StoredFile) -> None:
        """Add what is known of a file, other than its tensors: which of them are the model's, only a layout knows."""
        self.files.append(file.path)
        self.faults += file.faults
        if file.imports:
            self.imports[file.path] = file.imports
