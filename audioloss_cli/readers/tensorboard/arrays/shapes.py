"""Templates of equal outline, side by side in arrays, and which of them each record has.

Records are rows of 64-bit words that hold the payload, its checksum, and what happens to follow.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it
from google_crc32c import value as crc32c

from audioloss_cli.readers.tensorboard.arrays.crc import changed, masked
from audioloss_cli.readers.tensorboard.framing import CRC_BYTES
from audioloss_cli.readers.tensorboard.template import LONGEST_PAYLOAD, Place, Template

_WORD = 8
_ABREAST = 64
# Odd, without a pattern: a sum of products tells rows apart, and an exact comparison has the last word.
_FACTORS = np.random.default_rng(0).integers(0, 1 << 63, LONGEST_PAYLOAD // _WORD + 2, np.uint64) * 2 + 1


def row_bytes(length: int) -> int:
    """Size of the row of a record with a payload of this length."""
    return -(-(length + CRC_BYTES) // _WORD) * _WORD


class Fit(NamedTuple):
    """How rows and templates go together.

    Attributes:
        which: int64 [rows], number of the template of each; None if all have the first.
        good: bool [rows], whether it has one at all; None if all have.
        differences: uint64 [rows, words], each XOR its template.
        spread: uint64 [words], in which bits any of them differs; those of other rows may be among them.
    """

    which: Any
    good: Any
    differences: Any
    spread: Any


class Shape:
    """Templates whose records have one length, and numbers of the same types at the same places.

    Attributes:
        length: of the payload.
        step_bytes: of the step.
        places: of each template.
    """

    def __init__(self, template: Template) -> None:
        self.length = len(template.payload)
        self.step_bytes = template.step_bytes
        self._fixed = _words(template.fixed, self.length)
        self._words = np.zeros((0, len(self._fixed)), np.uint64)
        self._crcs = np.zeros(0, np.uint32)
        self._hashes = np.zeros(0, np.uint64)
        self._order = np.zeros(0, np.int64)
        self.places: list[tuple[Place, ...]] = []

    def takes(self, template: Template) -> bool:
        """Whether it has the outline of those that are here."""
        return bool((_words(template.fixed, self.length) == self._fixed).all()) and _outline(
            template.places
        ) == _outline(self.places[0])

    def add(self, templates: Sequence[Template]) -> None:
        """Take in some of this outline."""
        self.places += [template.places for template in templates]
        self._words = np.vstack([self._words, *(_words(template.payload, self.length) for template in templates)])
        crcs = [crc32c(template.payload) for template in templates]
        self._crcs = np.append(self._crcs, np.array(crcs, np.uint32))
        hashes = self.hashes(self._words)
        self._order = np.argsort(hashes)
        self._hashes = hashes[self._order]

    def hashes(self, rows: Any) -> Any:
        """One number for each row, the same for all rows of a template: uint64 [rows]."""
        return ((rows & self._fixed) * _FACTORS[: rows.shape[1]]).sum(axis=1, dtype=np.uint64)

    def fit(self, rows: Any) -> Fit:
        """Find the template of each row, uint64 [rows, words]."""
        if len(self.places) == 1:
            differences = rows ^ self._words[0]
            spread = _any_bit(differences)
            if not (spread & self._fixed).any():
                return Fit(None, None, differences, spread)
        places = np.searchsorted(self._hashes, self.hashes(rows))
        which = self._order[np.minimum(places, len(self._order) - 1)]
        differences = rows ^ self._words[which]
        spread = _any_bit(differences)
        if not (spread & self._fixed).any():
            return Fit(which, None, differences, spread)
        return Fit(which, ~(differences & self._fixed).any(axis=1), differences, spread)

    def intact(self, rows: Any, fit: Fit) -> Any:
        """Whether the checksum of each row holds, all of them fitting: bool [rows]."""
        spread = np.flatnonzero(fit.spread.view(np.uint8)[: self.length])
        found = changed(fit.differences.view(np.uint8), spread, self.length)
        found ^= self._crcs[0] if fit.which is None else self._crcs[fit.which]
        return masked(found) == column(rows, self.length, "<u4")


def _any_bit(rows: Any) -> Any:
    """All rows ORed: many of them side by side first, because numpy takes as long for a short row as for a long one."""
    whole = len(rows) - len(rows) % _ABREAST
    if whole:
        wide = rows[:whole].reshape(-1, _ABREAST * rows.shape[1])
        rows = np.concatenate([np.bitwise_or.reduce(wide, axis=0).reshape(_ABREAST, -1), rows[whole:]])
    return np.bitwise_or.reduce(rows, axis=0)


def column(rows: Any, at: int, dtype: str) -> Any:
    """The numbers at one place of all rows, uint64 [rows, words], as a view."""
    return np.ndarray((len(rows),), dtype, rows, at, (rows.strides[0],))


def _words(data: bytes, length: int) -> Any:
    return np.frombuffer(data.ljust(row_bytes(length), b"\0"), np.uint64)


def _outline(places: tuple[Place, ...]) -> list[tuple[int, str]]:
    return [(place.at, place.layout) for place in places]
