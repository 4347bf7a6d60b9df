"""Where the bytes are by which the numbers of a window are found."""

from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.words import U64

# A word with 1 in one of its bytes, times this, has the number of that byte as its highest byte.
_WHICH_BYTE = U64(sum(byte << (56 - 8 * byte) for byte in range(8)))
_HIGHEST = U64(56)


def places(window: Any, markers: bytes, *, apart: bool) -> Any:
    """Of the markers in a window (uint8, a multiple of 8 long): int64, ascending.

    If they stand ``apart``, only words of eight bytes are looked through. Of two in one word, which no line of the kind
    expected has, a wrong place is given: places prove nothing.
    """
    found = window == markers[0]
    for marker in markers[1:]:
        found |= window == marker
    if not apart:
        return np.flatnonzero(found)
    words = found.view("<u8")
    at = np.flatnonzero(words != 0)
    which = words.take(at)
    which *= _WHICH_BYTE
    which >>= _HIGHEST
    at <<= 3
    at += which.view(np.int64)
    return at
