"""Where the records of a window start, proven without a step from one to the next.

Candidates are all places whose payload would begin with the key of the wall time and whose length has the checksum that
stands behind it. If each ends where the next one starts, from a known start on, these are the records and no others.
"""

from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.tensorboard.framing import BLOB_BYTES, FRAMING_BYTES, HEADER_BYTES, masked_crc

_WALL_TIME_KEY = 0x09
_UNKNOWN = -1
_header_crcs = np.full(BLOB_BYTES, _UNKNOWN, np.int64)  # masked CRC of each length, once it was met


class Chain(NamedTuple):
    """Complete records in a row, the first one at the start of the window.

    Attributes:
        starts: int64 [records], where their headers stand.
        lengths: int64 [records], of their payloads, all below ``BLOB_BYTES``.
        end: where the last one ends.
        cut: whether something else than the end of the window follows.
    """

    starts: Any
    lengths: Any
    end: int
    cut: bool


def unaligned(buffer: Any, dtype: str) -> Any:
    """Overlapping numbers of a type, one at each byte of uint8 [n]."""
    count = len(buffer) - np.dtype(dtype).itemsize + 1
    return np.ndarray((max(count, 0),), dtype, buffer, 0, (1,))


def chain(buffer: Any, size: int) -> Chain:
    """The records at the start of the first ``size`` bytes of a buffer, uint8."""
    starts = np.flatnonzero(buffer[HEADER_BYTES:size] == _WALL_TIME_KEY)
    lengths = unaligned(buffer, "<u8")[starts]
    plausible = lengths < BLOB_BYTES
    starts, lengths = starts[plausible], lengths[plausible].astype(np.int64)
    proven = _crcs(lengths) == unaligned(buffer, "<u4")[starts + 8]
    starts, lengths = starts[proven], lengths[proven]
    ends = starts + (lengths + FRAMING_BYTES)
    if not len(starts) or starts[0] != 0:
        return Chain(starts[:0], lengths[:0], 0, cut=True)
    broken = np.flatnonzero(ends[:-1] != starts[1:])
    count = int(broken[0]) + 1 if len(broken) else len(starts)
    beyond = bool(ends[count - 1] > size)  # only the last one can end there: others end where the next one starts
    count -= beyond
    end = int(ends[count - 1]) if count else 0
    return Chain(starts[:count], lengths[:count], end, cut=not beyond and end + HEADER_BYTES < size)


def _crcs(lengths: Any) -> Any:
    found = _header_crcs[lengths]
    for length in np.unique(lengths[found == _UNKNOWN]).tolist():
        _header_crcs[length] = masked_crc(length.to_bytes(8, "little"))
    return _header_crcs[lengths]
