"""Windows of lines, and which of them are of the kind expected."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.columns import Columns
from audioloss_cli.readers.jsonl.arrays.cut import Cut
from audioloss_cli.readers.jsonl.arrays.found import Found, alike_in
from audioloss_cli.readers.jsonl.arrays.layout import Layout
from audioloss_cli.readers.jsonl.arrays.numbers import Numbers
from audioloss_cli.readers.jsonl.arrays.places import places
from audioloss_cli.readers.jsonl.arrays.proof import prove
from audioloss_cli.readers.jsonl.arrays.skeleton import Format, Skeleton, numbers, skeleton
from audioloss_cli.readers.jsonl.arrays.words import MARGIN
from audioloss_cli.readers.jsonl.lines import Block
from audioloss_cli.readers.jsonl.shape import Shape

_MARGIN = b"0" * MARGIN  # a digit, as though a line ended there
_LINES_TO_LEARN_FROM = 4
# glibc hands memory back to the system, and each page of it costs a fault when it is needed again, until it has seen
# a block of this size come and go. The block itself is never touched.
_MEMORY_TO_KEEP = 24 << 20


class _Proof(NamedTuple):
    """Of ``size`` lines; ``bad`` is None if all are of the kind."""

    raw: bytes
    window: Any
    found: Cut
    bad: Any
    size: int


class Windows:
    """Reads lines of one kind."""

    def __init__(self, shape: Shape, common: Skeleton) -> None:
        np.empty(_MEMORY_TO_KEEP, np.uint8)
        self._shape = shape
        self._skeleton = common
        self._columns = Columns(common, shape.step, shape.wants)
        self._formats = [Format().widened(number) for number in numbers(shape.line)]
        self._layout = Layout(common, self._formats)
        self._mixed = False  # whether the last window had lines of other kinds

    @classmethod
    def of(cls, shape: Shape) -> "Windows | None":
        """Those of lines that a typed decoder reads; None if more than their numbers differs."""
        common = skeleton(shape.line, shape.tree, shape.step.key)
        return None if common is None else cls(shape, common)

    def read(self, block: Block) -> Found | None:
        """The lines of a block that are of this kind; None if there are none."""
        proof = None if self._mixed else self._prove(block.parts)
        if proof is not None and proof.bad is None:
            return self._found(proof, slice(None), block.start.number, None)
        alike, parts = alike_in(block, self._skeleton.markers, self._layout.marks)
        self._mixed = len(alike) < len(block)
        if proof is None or self._mixed:
            proof = self._prove(parts)
        if proof is None or proof.size != len(alike):  # short lines of another kind have markers too close to count
            return None
        if proof.bad is not None and self._learn(block, alike[proof.bad]):
            proof = self._prove(parts)
        if proof is None or proof.size != len(alike):
            return None
        which = slice(None) if proof.bad is None else ~proof.bad
        return self._found(proof, which, block.start.number, alike[which])

    def _learn(self, block: Block, refused: Any) -> bool:
        """Expect numbers as some lines have them that are not proven; whether that is new."""
        before = self._formats
        for index in refused[:_LINES_TO_LEARN_FROM].tolist():
            found = numbers(block.lines[index])
            if len(found) == len(before):
                self._formats = [each.widened(number) for each, number in zip(self._formats, found, strict=True)]
        if self._formats != before:
            self._layout = Layout(self._skeleton, self._formats)
        return self._formats != before

    def _prove(self, parts: Sequence[bytes | memoryview]) -> _Proof | None:
        """Of lines, in parts; None if they have not as many markers as any number of lines of this kind."""
        layout, common = self._layout, self._skeleton
        raw = b"".join((_MARGIN, common.tail, *parts, common.head, _MARGIN))
        window = np.frombuffer(raw, np.uint8, len(raw) & -8)
        marks = places(window, common.markers, apart=layout.apart)
        count, odd = divmod(len(marks) - layout.first_marks, layout.marks)
        if odd or count < 1:
            return None
        marks = np.concatenate((marks, marks[: layout.marks - layout.first_marks])).reshape(count + 1, layout.marks)
        found, bad = prove(layout, window, marks)
        first, last = self._ends(raw, marks)
        if not (first and last):
            bad = np.zeros(count, bool) if bad is None else bad
            bad[0] |= not first
            bad[-1] |= not last
        return _Proof(raw, window, found, bad, count)

    def _ends(self, raw: bytes, marks: Any) -> tuple[bool, bool]:
        """Whether nothing is before the first line that was proven, and nothing behind the last."""
        text = self._skeleton.texts[0]
        places = marks[[0, -1], self._layout.first_marks - 1] + self._layout.distance[self._layout.row[0]]
        first, behind = places.tolist()
        end = raw[-MARGIN - len(text) - 1 : -MARGIN]
        closed = end[1:] == text and end[:1].isdigit() and behind == len(raw) - 2 * MARGIN
        return first == len(text), closed

    def _found(self, proof: _Proof, which: Any, first_line: int, lines: Any) -> Found | None:
        """The columns of proven lines; lines whose step or wall time is not as usual are left out."""
        every = np.arange(proof.size) if lines is None else lines
        if not len(every):
            return None
        numbers = Numbers(proof.raw, proof.window, proof.found, which)
        rows, fit = self._columns.rows(numbers, self._layout, every + first_line)
        if fit.all():
            return Found(self._shape, rows, lines, len(every))
        kept = every[fit]
        return Found(self._shape, rows.taken(fit), kept, len(kept)) if len(kept) else None
