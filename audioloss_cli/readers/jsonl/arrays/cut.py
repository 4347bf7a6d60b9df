"""From places to numbers: where each begins, and how long it is if its line is of the kind expected."""

from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.layout import Layout
from audioloss_cli.readers.jsonl.arrays.words import MARGIN, SIXTY_FOUR, U64, Words, words_from

# A digit, "e-" and two digits, the first character lowest. The digit is known by its upper half alone: that it is one,
# and nothing like it, is found where all characters of the number are looked at.
_EXPONENT, _EXPONENT_BITS = U64(0x30302D6530), U64(0xF0F0FFFFF0)
_SIX_UP = U64(0x0606000000)
_LENGTH_OF_EXPONENT = 4
_TENS, _UNITS = U64(24), U64(32)
_NIBBLE = U64(0xF)


class Cut(NamedTuple):
    """The numbers of some lines: one row a column, one item a line.

    Attributes:
        starts: int64, the first character, sign aside.
        lengths: int64, sign and exponent aside.
        negative: by row, of those that may have a sign: bool.
        exponents: by row, of those that may have one: bool.
    """

    starts: Any
    lengths: Any
    negative: dict[int, Any]
    exponents: dict[int, Any]


def cut(layout: Layout, marks: Any) -> Cut:
    """By the places of the markers (int64 [lines + 1, marks of a line]), signs and exponents included."""
    every = marks.T[layout.marker]
    every += layout.distance
    starts = every[:, :-1]
    lengths = starts[layout.follow]
    lengths[layout.row[-1]] = every[layout.row[0], 1:]  # the number behind the last one is in the next line
    lengths -= starts
    lengths -= layout.gap
    return Cut(starts, lengths, {}, {})


def aligned(starts: Any) -> tuple[Any, Words]:
    """For eight characters from each start on: the first of two words, and by how many bits they begin late in it."""
    shift = starts & 7
    shift <<= 3
    return starts >> 3, shift.view(U64)


def skip_sign(found: Cut, row: int, window: Any) -> None:
    """Leave the minus of a row's numbers out."""
    negative = window[MARGIN:].take(found.starts[row]) == ord("-")
    found.starts[row] += negative
    found.lengths[row] -= negative
    found.negative[row] = negative


def skip_exponent(found: Cut, row: int, window: Any) -> None:
    """Leave ``e-`` and two digits at the end of a row's numbers out."""
    end = _five(window, found.starts[row] + found.lengths[row] - (_LENGTH_OF_EXPONENT + 1))
    end ^= _EXPONENT
    end |= end + _SIX_UP
    end &= _EXPONENT_BITS
    there = end == 0
    found.lengths[row] -= _LENGTH_OF_EXPONENT * there
    found.exponents[row] = there


def exponents(window: Any, starts: Any, lengths: Any, there: Any) -> Any:
    """What was left out as numbers: int64, at most 0."""
    end = _five(window, starts + lengths - 1)
    ten, unit = end >> _TENS & _NIBBLE, end >> _UNITS & _NIBBLE
    return -(ten * U64(10) + unit).astype(np.int64) * there


def _five(window: Any, starts: Any) -> Words:
    """At least five characters from each start on."""
    place, shift = aligned(starts)
    found = words_from(window, 0).take(place) >> shift
    found |= words_from(window, 1).take(place) << (SIXTY_FOUR - shift)
    return found
