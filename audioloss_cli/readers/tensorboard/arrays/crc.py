"""CRC-32C of many rows of equal length at once.

The CRC of a XOR of messages of one length is the XOR of their CRCs, but for a constant (R. N. Williams, A Painless
Guide to CRC Error Detection Algorithms, 1993). So the CRC of a row is that of the template, XOR what each byte in which
they differ contributes: one look-up in the table of its distance to the end.
"""

from threading import Lock
from typing import Any

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers.tensorboard.framing import MASK_DELTA

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected (RFC 3720, appendix B.4)
_tables: list[Any] = []  # never more than appended to, by one thread at a time
_growing = Lock()


def contributions(distance: int) -> Any:
    """What each value of a byte with ``distance`` bytes behind it adds to the CRC: uint32 [256]."""
    if len(_tables) <= distance:
        with _growing:
            _grow(distance)
    return _tables[distance]


def _grow(distance: int) -> None:
    if not _tables:
        crc: Any = np.arange(256, dtype=np.uint32)
        for _ in range(8):
            crc = (crc >> 1) ^ np.where(crc & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
        _tables.append(crc)
    while len(_tables) <= distance:
        last = _tables[-1]
        _tables.append((last >> 8) ^ _tables[0][last & 0xFF])


def masked(crc: Any) -> Any:
    """As TFRecord stores it: uint32 of any shape."""
    return ((crc >> 15) | (crc << 17)) + np.uint32(MASK_DELTA)


def changed(differences: Any, varying: Any, length: int) -> Any:
    """The XOR of the CRCs of rows and of that of their templates.

    Args:
        differences: uint8 [rows, at least length], each row XOR its template.
        varying: indexes of the columns that are not zero everywhere.
        length: of the message.
    """
    crc = np.zeros(len(differences), np.uint32)
    for at in varying.tolist():
        crc ^= contributions(length - 1 - at)[differences[:, at]]
    return crc
