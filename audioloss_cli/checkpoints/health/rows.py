"""Rows of embeddings and heads: those that are zero, and those that are a copy of another one."""

import hashlib
from dataclasses import dataclass

import numpy as np

from audioloss_cli.checkpoints.health.elements import FLOATS, PARTS, Array
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

_LISTED = 1 << 16  # rows, so that what is dead in one codebook does not hide another one
_DIGEST_BYTES = 16
_MOST_ROWS = 1 << 20
_LEAST_BYTES = 8  # shorter rows are alike by chance


@dataclass(frozen=True, slots=True)
class RowFaults:
    """See the fields of ``TensorStatistics``."""

    dead_rows: tuple[int, ...] = ()
    twin_rows: tuple[tuple[int, int], ...] = ()
    dead: int = 0
    twins: int = 0


def has_rows(tensor: StoredTensor) -> bool:
    """Tell whether the rows of a tensor can be told apart: it is a matrix, or more, of no more than 2^20 rows."""
    if len(tensor.shape) < 2 or not tensor.elements or tensor.shape[0] > _MOST_ROWS:  # noqa: PLR2004  # a matrix
        return False
    return tensor.nbytes // tensor.shape[0] >= _LEAST_BYTES


class Rows:
    """Looks at the rows of a tensor as its elements come in the order of its shape."""

    def __init__(self, tensor: StoredTensor) -> None:
        rows = tensor.shape[0]
        self._width = tensor.elements // rows * (2 if tensor.dtype in PARTS else 1)
        self._raw_bytes = tensor.nbytes // rows // self._width
        form = FLOATS.get(PARTS.get(tensor.dtype, tensor.dtype))
        self._magnitude = form.sign - 1 if form else (1 << 8 * ITEMSIZES[tensor.dtype]) - 1
        self._digests = np.zeros((rows, 2), np.uint64)
        self._alive = np.zeros(rows, bool)
        self._done = 0
        self._begun: hashlib.blake2b | None = None
        self._filled = 0

    def add(self, raw: Array) -> None:
        """Take in the elements that follow."""
        bits = raw.view(f"<u{self._raw_bytes}")
        while bits.size:
            if not self._filled and bits.size >= self._width:
                whole = bits.size // self._width * self._width
                self._whole(bits[:whole].reshape(-1, self._width))
                bits = bits[whole:]
            else:
                taken = bits[: self._width - self._filled]
                self._part(taken)
                bits = bits[taken.size :]

    def _whole(self, rows: Array) -> None:
        alive = (rows & rows.dtype.type(self._magnitude)).any(axis=1)
        for row in rows:
            self._close(hashlib.blake2b(row, digest_size=_DIGEST_BYTES), alive=bool(alive[0]))
            alive = alive[1:]

    def _part(self, taken: Array) -> None:
        if self._begun is None:
            self._begun = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        self._begun.update(taken.tobytes())
        self._alive[self._done] |= bool((taken & taken.dtype.type(self._magnitude)).any())
        self._filled += taken.size
        if self._filled == self._width:
            self._close(self._begun, alive=bool(self._alive[self._done]))
            self._begun, self._filled = None, 0

    def _close(self, digest: "hashlib.blake2b", *, alive: bool) -> None:
        self._digests[self._done] = np.frombuffer(digest.digest(), np.uint64)
        self._alive[self._done] = alive
        self._done += 1

    def faults(self) -> RowFaults:
        """Return what was found, after the last element."""
        dead, living = np.flatnonzero(~self._alive), np.flatnonzero(self._alive)
        _, first, group = np.unique(self._digests[living], axis=0, return_index=True, return_inverse=True)
        originals = living[first[group.reshape(-1)]]
        copies = np.flatnonzero(originals != living)
        pairs = [(int(originals[place]), int(living[place])) for place in copies[:_LISTED]]
        return RowFaults(tuple(map(int, dead[:_LISTED])), tuple(pairs), dead.size, copies.size)
