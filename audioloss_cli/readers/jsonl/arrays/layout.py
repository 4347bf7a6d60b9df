"""A skeleton as arrays: one row a column, those with long numbers first."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.skeleton import Format, Skeleton
from audioloss_cli.readers.jsonl.arrays.words import MARGIN, ONES, U64, whole
from audioloss_cli.readers.jsonl.kinds import Kind

# Before a text stands the last digit of a number. Its upper half is compared with the text, so that no number ends
# in a dot; that it is a digit, and nothing like one, is found where all characters of the number are looked at.
_DIGIT, _UPPER_HALF = b"0", b"\xf0"


class Layout:
    """What the proof needs to know of a skeleton.

    Attributes:
        marks, first_marks: how many markers a line has; those of them in its first text.
        apart: whether no two markers of such lines stand in eight bytes.
        row: of each column.
        marker: of each row, which of the line's markers is the last before the number.
        distance: of each row, from there to the number, less the margin.
        follow: of each row, the row of the next column.
        gap: of each row, the length of the text behind the number.
        limit: of each row, the most characters of a number, sign and exponent aside.
        texts: for each word before a number: the rows whose text reaches into it, the text, and which bits are text.
        further, long: how many more words than one a number may have, and how many rows have such.
        signed, exponents, whole: rows that may have a sign; an exponent; that must be whole.
    """

    def __init__(self, skeleton: Skeleton, formats: Sequence[Format]) -> None:
        texts, count = skeleton.texts, len(skeleton.texts)
        order = sorted(range(count), key=lambda column: (-formats[column].words, -len(texts[column])))
        marks = [sum(map(text.count, _each(skeleton.markers))) for text in texts]
        self.marks, self.first_marks = sum(marks), marks[0]
        self.apart = _are_apart(skeleton)
        self.row = [order.index(column) for column in range(count)]
        self.marker = (np.cumsum(marks) - 1)[order]
        last = [max(map(text.rfind, _each(skeleton.markers))) for text in texts]
        self.distance = _column(len(texts[column]) - last[column] - MARGIN for column in order)
        self.follow = np.array([self.row[(column + 1) % count] for column in order])
        self.gap = _column(len(texts[(column + 1) % count]) for column in order)
        self.limit = _column(8 * formats[column].words for column in order)
        self.texts = [*_text_words([texts[column] for column in order])]
        words = [formats[column].words for column in order]
        self.further, self.long = max(words) - 1, sum(word > 1 for word in words)
        self.signed = [self.row[column] for column in range(count) if formats[column].signed]
        self.whole = [self.row[column] for column in range(count) if skeleton.leaves[column].kind is Kind.WHOLE]
        exponents = [self.row[column] for column in range(count) if formats[column].exponent]
        self.exponents = [row for row in exponents if row not in self.whole]


def _each(markers: bytes) -> list[bytes]:
    return [bytes([marker]) for marker in markers]


def _are_apart(skeleton: Skeleton) -> bool:
    shortest = b"0".join((*skeleton.texts, skeleton.texts[0]))
    marks = [place for place, byte in enumerate(shortest) if byte in skeleton.markers]
    return all(after - before >= 8 for before, after in pairwise(marks))  # noqa: PLR2004


def _column(numbers: Any) -> Any:
    return np.array(list(numbers), np.int64)[:, None]


def _text_words(texts: Sequence[bytes]) -> Any:
    """Word by word backwards from the number: rows, text, and bits; the latter None if they are all."""
    longest = max(map(len, texts)) + 1
    for end in range(0, longest, 8):
        rows = [row for row, text in enumerate(texts) if len(text) + 1 > end]
        part = slice(rows[0], rows[-1] + 1)
        bits = [_word(_UPPER_HALF + b"\xff" * len(text), end) for text in texts[part]]
        text = [_word(_DIGIT + text, end) & mask for text, mask in zip(texts[part], bits, strict=True)]
        masks = np.array(bits, U64)[:, None]
        yield part, np.array(text, U64)[:, None], None if (masks == ONES).all() else masks


def _word(text: bytes, end: int) -> int:
    """Of a text, the eight characters that end so many before its end."""
    upto = len(text) - end
    return whole(text[max(0, upto - 8) : upto]) if upto > 0 else 0
