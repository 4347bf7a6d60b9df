"""Where the records of a window start, proven without a step from one to the next.

Candidates are all places whose payload would begin with the key of the wall time and whose length has the checksum that
stands behind it. If each ends where the next one starts, from a known start on, these are the records and no others.
A window may hold several files, one behind the other: each has a known start of its own.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers.tensorboard.framing import BLOB_BYTES, FRAMING_BYTES, HEADER_BYTES, masked_crc

_WALL_TIME_KEY = 0x09
_UNKNOWN = -1
_header_crcs = np.full(
    BLOB_BYTES, _UNKNOWN, np.int64
)  # masked CRC of each length, once it was met; by any thread, for all find the same


class Chain(NamedTuple):
    """The complete records in a row at the start of each file.

    Attributes:
        starts: int64 [records], where their headers stand in the window.
        lengths: int64 [records], of their payloads, all below ``BLOB_BYTES``.
        bounds: numbers of the first record of each file, then the number of records.
        ends: of each file, where its last record ends, and its own start if it has none.
        cut: of each file, whether something else than the end of its bytes follows.
    """

    starts: Any
    lengths: Any
    bounds: list[int]
    ends: list[int]
    cut: list[bool]


class _Candidates(NamedTuple):
    """int64 [candidates] each; ``broken`` has the numbers of those that do not end where the next one starts."""

    starts: Any
    lengths: Any
    ends: Any
    broken: Any


def unaligned(buffer: Any, dtype: str) -> Any:
    """Overlapping numbers of a type, one at each byte of uint8 [n]."""
    count = len(buffer) - np.dtype(dtype).itemsize + 1
    return np.ndarray((max(count, 0),), dtype, buffer, 0, (1,))


def chain(buffer: Any, files: Sequence[int]) -> Chain:
    """The records of files in a buffer, uint8.

    Args:
        buffer: longer than the files by the longest record that is taken in.
        files: where each starts, then where the last one ends.
    """
    every = _candidates(buffer, files[-1])
    firsts = np.searchsorted(every.starts, files).tolist()
    parts = [_linked(every, *each) for each in zip(pairwise(files), pairwise(firsts), strict=True)]
    bounds = [0]
    for begin, end, _, _ in parts:
        bounds.append(bounds[-1] + end - begin)
    starts, lengths = (
        column[parts[0][0] : parts[0][1]]
        if len(parts) == 1
        else np.concatenate([column[begin:end] for begin, end, _, _ in parts])
        for column in (every.starts, every.lengths)
    )
    return Chain(starts, lengths, bounds, [part[2] for part in parts], [part[3] for part in parts])


def _candidates(buffer: Any, size: int) -> _Candidates:
    starts = np.flatnonzero(buffer[HEADER_BYTES:size] == _WALL_TIME_KEY)
    lengths = unaligned(buffer, "<u8")[starts]
    plausible = lengths < BLOB_BYTES
    starts, lengths = starts[plausible], lengths[plausible].astype(np.int64)
    proven = _crcs(lengths) == unaligned(buffer, "<u4")[starts + 8]
    starts, lengths = starts[proven], lengths[proven]
    ends = starts + (lengths + FRAMING_BYTES)
    return _Candidates(starts, lengths, ends, np.flatnonzero(ends[:-1] != starts[1:]))


def _linked(every: _Candidates, file: tuple[int, int], own: tuple[int, int]) -> tuple[int, int, int, bool]:
    """Of the candidates that a file has, the first and the one behind the last of its records; ``Chain``'s rest."""
    (begin, end), (first, last) = file, own
    if first == last or every.starts[first] != begin:
        return first, first, begin, True
    at = int(np.searchsorted(every.broken, first))
    last = min(last, int(every.broken[at]) + 1) if at < len(every.broken) else last
    beyond = bool(every.ends[last - 1] > end)  # only the last one can end there: others end where the next one starts
    last -= beyond
    taken = int(every.ends[last - 1]) if last > first else begin
    return first, last, taken, not beyond and taken + HEADER_BYTES < end


def _crcs(lengths: Any) -> Any:
    found = _header_crcs[lengths]
    for length in np.unique(lengths[found == _UNKNOWN]).tolist():
        _header_crcs[length] = masked_crc(length.to_bytes(8, "little"))
    return _header_crcs[lengths]
