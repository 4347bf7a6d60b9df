"""The proof that lines consist of the texts of their kind and of well-formed numbers.

Nothing of it trusts the places of the markers: the text before each number, the number up to where the next text must
begin, and that text adjoin each other, from the end of the line before to the beginning of the line behind.
"""

from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.cut import Cut, aligned, cut, skip_exponent, skip_sign
from audioloss_cli.readers.jsonl.arrays.layout import Layout
from audioloss_cli.readers.jsonl.arrays.words import ONE, SIXTY_FOUR, U64, Words, first, no_digits, words_from

_FIRST_CHARACTER = U64(0x80)
# A zero, and something of which the upper half is that of a digit: "05" and the like.
_FIRST_TWO, _ZERO_AND_DIGIT = U64(0xF0FF), U64(0x3030)


class _Around(NamedTuple):
    """Where to find the characters around the start of each number.

    Attributes:
        window: uint8, a multiple of 8 long.
        place: int64, the word in which it is.
        shift: by how many bits it is late in that word.
        back: by how many it is early for the word behind.
    """

    window: Any
    place: Any
    shift: Words
    back: Words

    @classmethod
    def starts(cls, window: Any, starts: Any) -> "_Around":
        place, shift = aligned(starts)
        return cls(window, place, shift, SIXTY_FOUR - shift)

    def move(self, row: int, starts: Any) -> None:
        """Let the numbers of one row start elsewhere."""
        self.place[row], self.shift[row] = aligned(starts)
        np.subtract(SIXTY_FOUR, self.shift[row], out=self.back[row])

    def words(self, number: int, rows: slice = slice(None)) -> Words:
        """Those that come so many words behind, as they lie."""
        return words_from(self.window, number).take(self.place[rows])


def prove(layout: Layout, window: Any, marks: Any) -> tuple[Cut, Any]:
    """The numbers of lines, and which lines are not proven (None if all are).

    Args:
        layout: of the lines.
        window: uint8, a multiple of 8 long.
        marks: int64 [lines + 1, marks of a line], places of the markers.
    """
    found = cut(layout, marks)
    around = _Around.starts(window, found.starts)
    here = around.words(0)
    doubt = _texts(layout, around, here)
    for row in layout.signed:
        skip_sign(found, row, window)
        around.move(row, found.starts[row])
        here[row] = words_from(window, 0).take(around.place[row])
    for row in layout.exponents:
        skip_exponent(found, row, window)
    wrong = _characters(layout, around, here, found.lengths, doubt)
    return found, _verdict(layout, found.lengths, doubt, wrong)


def _texts(layout: Layout, around: _Around, here: Words) -> Words:
    """Bits that are set where a text is another."""
    doubt, behind, top = here, here, 0
    for number, (rows, text, bits) in enumerate(layout.texts, 1):
        before = around.words(-number, rows)
        read = behind[rows.start - top : rows.stop - top] << around.back[rows]
        read |= before >> around.shift[rows]
        if bits is not None:
            read &= bits
        read ^= text
        if number == 1:
            doubt = read
        else:
            doubt[rows] |= read
        behind, top = before, rows.start
    return doubt


def _characters(layout: Layout, around: _Around, here: Words, lengths: Any, doubt: Words) -> Any:
    """Where a number is none: bits in ``doubt``, and bool.

    Digits with at most one dot between them, and no zero before another digit. The flags of several words of eight are
    laid over each other, each a bit lower, so that two dots are two bits.
    """
    behind = around.words(1)
    read = behind << around.back
    here >>= around.shift
    read |= here
    leading = (read & _FIRST_TWO) == _ZERO_AND_DIGIT
    dots, other = no_digits(read, first(lengths))
    doubt |= other
    if layout.further:
        _further(layout, around, behind, lengths, dots, doubt)
    for row in layout.whole:
        doubt[row] |= dots[row]
    several = dots - ONE
    several |= _FIRST_CHARACTER
    several &= dots
    doubt |= several
    return leading


def _further(layout: Layout, around: _Around, behind: Words, lengths: Any, dots: Words, doubt: Words) -> None:
    """The same for the characters of long numbers from the ninth on."""
    rows = slice(layout.long)
    further = np.arange(1, layout.further + 1, dtype=np.int64)[:, None, None]
    ahead = words_from(around.window, 1).take(around.place[rows] + further)
    read = ahead << around.back[rows]
    read[0] |= behind[rows] >> around.shift[rows]
    read[1:] |= np.right_shift(ahead[:-1], around.shift[rows], out=ahead[:-1])
    flags, other = no_digits(read, first(lengths[rows] - 8 * further))
    flags >>= further.view(U64)
    dots[rows] |= np.bitwise_or.reduce(flags, axis=0)
    doubt[rows] |= np.bitwise_or.reduce(other, axis=0)


def _verdict(layout: Layout, lengths: Any, doubt: Words, wrong: Any) -> Any:
    """Which lines are not proven; None if all are."""
    fits = not doubt.max() and not wrong.any() and lengths.min() > 0
    if fits and (lengths.max(axis=1, keepdims=True) <= layout.limit).all():
        return None
    bad = ((doubt != 0) | wrong | (lengths < 1) | (lengths > layout.limit)).any(axis=0)
    bad[:-1] |= bad[1:]  # the text before the first number is also the end of the line before
    return bad
