"""CRC-32C of stretches of a file that overlap, though each byte is looked at once.

Where lengths cannot be believed, each of thousands of headers may claim the same megabytes. The CRC of the bytes up to
each mark, taken once, gives that of any stretch between two marks: the CRC of one message after another is that of the
first, moved by the length of the second, XOR that of the second. To move by a length is to multiply by a power of x
(M. Adler, crc32_combine in zlib).
"""

from array import array
from functools import cache

from google_crc32c import extend
from google_crc32c import value as crc32c

from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer

_GRAIN = 1 << 10  # bytes between two marks
_READ_BYTES = 1 << 20
_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected (RFC 3720, appendix B.4)
_ONE = 1 << 31  # reflected: the highest bit is that of x to the power of 0


class Checksums:
    """CRCs of what lies ahead in a buffer."""

    def __init__(self, buffer: SlidingBuffer) -> None:
        self._buffer = buffer
        self._base = 0  # offset of the first mark
        self._marks = array("I", [0])  # of each the CRC of the bytes from the base up to it

    def of(self, start: int, end: int) -> int:
        """The CRC of the bytes of the file from one offset to another, both ahead of where the buffer is."""
        if not 0 <= start - self._base <= _GRAIN * (len(self._marks) - 1):
            self._base, self._marks = start, array("I", [0])
        first, last = -(-(start - self._base) // _GRAIN), (end - self._base) // _GRAIN
        if last <= first:
            return int(crc32c(self._bytes(start, end)))
        self._mark_to(last)
        marked, behind = self._base + first * _GRAIN, self._base + last * _GRAIN
        before = self._marks[first] ^ crc32c(self._bytes(start, marked))
        return int(extend(self._marks[last] ^ _moved(before, last - first), self._bytes(behind, end)))

    def _mark_to(self, last: int) -> None:
        crc = self._marks[-1]
        while len(self._marks) <= last:
            at = self._base + _GRAIN * (len(self._marks) - 1)
            count = min(last + 1 - len(self._marks), _READ_BYTES // _GRAIN)
            data = self._bytes(at, at + count * _GRAIN)
            for begin in range(0, count * _GRAIN, _GRAIN):
                crc = extend(crc, data[begin : begin + _GRAIN])
                self._marks.append(crc)

    def _bytes(self, start: int, end: int) -> bytes:
        return self._buffer.glance(start, end - start)


def _moved(crc: int, grains: int) -> int:
    """What a CRC adds to that of a message with so many grains behind it."""
    level = 0
    while grains:
        if digit := grains & 15:
            crc = _product(crc, _power(digit << level))
        grains >>= 4
        level += 4
    return crc


@cache
def _power(grains: int) -> int:
    """The power of x by which so many grains move a CRC."""
    power, square = _ONE, _ONE >> 1
    bits = 8 * _GRAIN * grains
    while bits:
        if bits & 1:
            power = _product(power, square)
        square = _product(square, square)
        bits >>= 1
    return power


def _product(one: int, other: int) -> int:
    """Of two polynomials, modulo that of the CRC."""
    product = 0
    for shift in range(31, -1, -1):
        if one >> shift & 1:
            product ^= other
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
    return product
