"""Eight characters in one word: what numpy does to a word, it does to all of them at once.

The first character is the lowest byte. A flag is the highest bit of a byte. The tests for a range of characters in
each byte, and the conversion of eight digits by three multiplications, are those of D. Lemire, "Number parsing at a
gigabyte per second", Software: Practice and Experience 51 (2021), and of S. E. Anderson's "Bit Twiddling Hacks". A
carry runs only from a byte that is flagged itself, so a wrong character is never let through for one.
"""

from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files only

U64 = np.uint64
Words = Any  # uint64, of any shape
ONES = U64((1 << 64) - 1)
# Bytes before and behind the lines of a window: no place that is looked at lies outside, be it of a text where none is.
# Places count from where the lines begin.
MARGIN = 1024


def words_from(window: Any, number: int) -> Words:
    """The words of a window (uint8), from so many words behind the beginning of its lines on."""
    return window.view("<u8")[MARGIN // 8 + number :]


def eightfold(byte: int) -> np.uint64:
    """A word of eight times the same byte."""
    return U64(int.from_bytes(bytes([byte]) * 8, "little"))


FLAGS = eightfold(0x80)
_ZEROS, _DOTS = eightfold(ord("0")), eightfold(ord("."))
_TEN_UP, _ONE_UP = eightfold(0x80 - 10), eightfold(0x80 - 1)
ONE, SIXTY_FOUR = U64(1), U64(64)
_THREE, _FOUR, _EIGHT, _SIXTEEN, _THIRTY_TWO = U64(3), U64(4), U64(8), U64(16), U64(32)
_OF_A_DOT, _FIVE_BITS = eightfold(0x10), U64(0x1F)  # a dot less the character 0 is 30
_TEN, _PAIRS = U64(10), U64(0x000000FF000000FF)
_MILLIONS, _TEN_THOUSANDS = U64(100 + (1_000_000 << 32)), U64(1 + (10_000 << 32))


def whole(text: bytes) -> int:
    """At most eight characters as a number, against the end of the word."""
    return int.from_bytes(text.rjust(8, b"\0"), "little")


_FIRST = np.array([sum(0x80 << 8 * byte for byte in range(count)) for count in range(9)], U64)
_LAST = np.array([sum(0xFF << 56 - 8 * byte for byte in range(count)) for count in range(9)], U64)


def first(lengths: Any) -> Words:
    """Flags of the first characters of each word: as many as ``lengths`` (int64) says, from none to all."""
    return _FIRST.take(lengths, mode="clip")


def last(lengths: Any) -> Words:
    """All bits of the last characters of each word, in the same way."""
    return _LAST.take(lengths, mode="clip")


def no_digits(words: Words, among: Words) -> tuple[Words, Words]:
    """Flags of what is no digit, and of what is neither a digit nor a dot. ``words`` is lost."""
    flags = words ^ _ZEROS
    spare = flags + _TEN_UP
    flags |= spare
    flags &= among
    words ^= _DOTS
    np.add(words, _ONE_UP, out=spare)
    words |= spare
    words &= flags
    return flags, words


def digits(words: Words, among: Words) -> Words:
    """Flags of the dots between digits; ``words`` become digits from 0 to 9, with 0 for a dot.

    Args:
        words: characters that are proven to be digits and dots; are changed.
        among: bits of the characters that count.
    """
    words ^= _ZEROS
    words &= among
    dots = words & _OF_A_DOT
    spare = dots >> _FOUR
    spare *= _FIVE_BITS
    words &= np.bitwise_not(spare, out=spare)
    dots <<= _THREE
    return dots


def eight(values: Words) -> Words:
    """The number that eight digits from 0 to 9 spell. ``values`` is lost."""
    neighbours = values >> _EIGHT
    values *= _TEN
    values += neighbours
    np.right_shift(values, _SIXTEEN, out=neighbours)
    values &= _PAIRS
    neighbours &= _PAIRS
    values *= _MILLIONS
    neighbours *= _TEN_THOUSANDS
    values += neighbours
    values >>= _THIRTY_TWO
    return values
