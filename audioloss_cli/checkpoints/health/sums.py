"""What is counted of the values of one tensor, piece by piece.

Magnitudes of floats order as the integers that their bits are, so that the two greatest of these integers, as signed
and as unsigned ones, tell whether a piece has a NaN, an infinity or anything but zeros. Only where it has a NaN or an
infinity is it looked at value by value.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.health.elements import FLOATS, INTEGERS, PARTS, Array, FloatFormat, decoded
from audioloss_cli.checkpoints.health.pieces import Axis, flat_indices

_BLOCK = 4096  # values whose squares are summed in float32, before the sums are added up in float64
_PART = 1 << 16  # values whose float32 are in the cache of the core from one step to the next
_SAFE = (1e-12, 1e15)  # greatest magnitudes of pieces whose squares float32 has room for


class Sums(ABC):
    """Sums over some pieces of one tensor; those over others can be added."""

    def __init__(self, dtype: str, axes: Sequence[Axis], *, quick: bool = False) -> None:
        """Begin with nothing; ``axes`` are those of the ordinals of pieces, ``quick`` is that of ``examine``."""
        self.dtype, self.axes, self.quick = dtype, axes, quick
        self._is_ordered = all(axis.place >= inner.place for axis, inner in pairwise(axes))
        self.nan = self.infinite = self.zero = self.denormal = 0
        self.first_bad = -1
        self.lowest, self.highest = math.inf, -math.inf
        self.norm = 0.0

    @abstractmethod
    def add(self, first: int, raw: Array) -> None:
        """Take in a piece."""

    def merge(self, other: "Sums") -> None:
        """Take in what was counted of other pieces."""
        for name in ("nan", "infinite", "zero", "denormal"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.norm = math.hypot(self.norm, other.norm)
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        self._found_bad(other.first_bad)

    def statistics(self, elements: int, times: int, **more: Any) -> TensorStatistics:
        """Return them as those of a tensor in which each element that was read lies so many times."""
        finite = self.lowest <= self.highest
        low, high = (float(self.lowest) + 0.0, float(self.highest) + 0.0) if finite else (math.nan, math.nan)  # no -0.0
        return TensorStatistics(
            elements,
            self.nan * times,
            self.infinite * times,
            self.zero * times,
            self.denormal * times,
            self.first_bad,
            low,
            high,
            math.nan if self.quick or not finite else self.norm * math.sqrt(times),
            finite and self.lowest == self.highest and self.nan == self.infinite == 0,
            **more,
        )

    def _found_bad(self, index: int) -> None:
        if index >= 0 and (self.first_bad < 0 or index < self.first_bad):
            self.first_bad = index

    def _bad_places(self, first: int, bad: Array) -> None:
        """Take in which values of a piece are not finite; those of an ordered tensor come with growing indices."""
        if self._is_ordered and self.first_bad >= 0:
            return
        ordinals = np.flatnonzero(bad) // (2 if self.dtype in PARTS else 1) + first
        self._found_bad(int(flat_indices(ordinals, self.axes).min()))

    def _between(self, lowest: float, highest: float) -> None:
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)


class FloatSums(Sums):
    """Of floats of two bytes or more, and of the parts of complex numbers."""

    def __init__(self, dtype: str, axes: Sequence[Axis], *, quick: bool = False) -> None:
        super().__init__(dtype, axes, quick=quick)
        self.form: FloatFormat = FLOATS[PARTS.get(dtype, dtype)]
        # Magnitudes of finite values without and with a sign, less than 0 where there is none; the least bits of all.
        self._positive = self._negative = -1
        self._least = 2 * self.form.sign

    def add(self, first: int, raw: Array) -> None:
        """Take in a piece."""
        positive, negative = self._greatest(raw)
        if max(positive, negative) >= self.form.bad:
            raw = self._without_bad(first, raw)
            if not raw.size:
                return
            positive, negative = self._greatest(raw)
        greatest = max(positive, negative)
        if greatest <= 0:
            self.zero += raw.size
        if self.quick:
            return
        least = int(raw.min())
        self._take(positive, negative, least)
        if greatest > 0:
            self._count_small(raw, least)
            self.norm = math.hypot(self.norm, norm_of(raw, self.dtype, self._number(greatest)))

    def merge(self, other: Sums) -> None:
        """Take in what was counted of other pieces."""
        super().merge(other)
        if isinstance(other, FloatSums):
            self._take(other._positive, other._negative, other._least)

    def statistics(self, elements: int, times: int, **more: Any) -> TensorStatistics:
        """Return what was counted; the least bits are the lowest or the highest, where all values have one sign."""
        if self.quick:
            self.lowest, self.highest = (0.0, 0.0) if self.zero * times == elements else (math.inf, -math.inf)
        elif self._least < 2 * self.form.sign:
            self.lowest = self._number(self._negative + self.form.sign if self._negative >= 0 else self._least)
            self.highest = self._number(self._positive if self._positive >= 0 else self._least)
        return super().statistics(elements, times, **more)

    def _take(self, positive: int, negative: int, least: int) -> None:
        self._positive, self._negative = max(self._positive, positive), max(self._negative, negative)
        self._least = min(self._least, least)

    def _number(self, bits: int) -> float:
        return float(decoded(np.array([bits], self.form.unsigned), self.dtype)[0])

    def _greatest(self, raw: Array) -> tuple[int, int]:
        """Return the greatest magnitudes of what has no sign and of what has one; less than 0 where there is none."""
        return int(raw.view(self.form.signed).max()), int(raw.max()) - self.form.sign

    def _without_bad(self, first: int, raw: Array) -> Array:
        magnitudes = raw & raw.dtype.type(self.form.sign - 1)
        bad = magnitudes >= self.form.bad
        nan = int(np.count_nonzero(magnitudes >= self.form.nan))
        self.nan += nan
        self.infinite += int(np.count_nonzero(bad)) - nan
        self._bad_places(first, bad)
        finite: Array = raw[~bad]
        return finite

    def _count_small(self, raw: Array, least: int) -> None:
        """Count zeros and denormals, where the least magnitudes with and without a sign say that there are any."""
        least_signed = (
            int(raw.view(self.form.signed).min()) + self.form.sign
        )  # what has no sign is greater than all that has
        if min(least, least_signed) >= self.form.normal:
            return
        magnitudes = raw & raw.dtype.type(self.form.sign - 1)
        small = int(np.count_nonzero(magnitudes < self.form.normal))
        zero = magnitudes.size - int(np.count_nonzero(magnitudes))
        self.zero += zero
        self.denormal += small - zero


class ByteSums(Sums):
    """Of dtypes of one byte: each of the 256 values is counted."""

    def __init__(self, dtype: str, axes: Sequence[Axis], *, quick: bool = False) -> None:
        super().__init__(dtype, axes, quick=quick)
        bits = np.arange(256, dtype=np.uint8)
        self._counts = np.zeros(256, np.int64)
        values = bits != 0 if dtype == "BOOL" else decoded(bits.view(INTEGERS.get(dtype, np.uint8)), dtype)
        self._values = values.astype(np.float64)
        self._bad = ~np.isfinite(self._values)
        self._form = FLOATS.get(dtype)

    def add(self, first: int, raw: Array) -> None:
        """Take in a piece."""
        counts = _byte_counts(raw)
        self._counts += counts
        if counts[self._bad].any():
            self._bad_places(first, self._bad[raw.view(np.uint8)])

    def merge(self, other: Sums) -> None:
        """Take in what was counted of other pieces."""
        super().merge(other)
        if isinstance(other, ByteSums):
            self._counts += other._counts

    def statistics(self, elements: int, times: int, **more: Any) -> TensorStatistics:
        """Return what the counts say."""
        values, counts = self._values, self._counts
        there = values[(counts > 0) & ~self._bad]
        if there.size:
            self.lowest, self.highest = float(there.min()), float(there.max())
            self.norm = math.sqrt(float(np.dot(counts[~self._bad], values[~self._bad] ** 2)))
        self.nan = int(counts[np.isnan(values)].sum())
        self.infinite = int(counts[np.isinf(values)].sum())
        self.zero = int(counts[values == 0].sum())
        if self._form:
            magnitudes = np.arange(256) & 0x7F
            self.denormal = int(counts[(magnitudes > 0) & (magnitudes < self._form.normal)].sum())
        return super().statistics(elements, times, **more)


class IntegerSums(Sums):
    """Of integers of two bytes or more."""

    def add(self, first: int, raw: Array) -> None:
        """Take in a piece."""
        del first  # integers are all finite
        low, high = int(raw.min()), int(raw.max())
        self._between(low, high)
        if not low and not high:
            self.zero += raw.size
        elif not self.quick:
            self.zero += raw.size - int(np.count_nonzero(raw))
            numbers = raw.astype(np.float64)
            self.norm = math.hypot(self.norm, math.sqrt(float(np.dot(numbers, numbers))))


def _byte_counts(raw: Array) -> Array:
    """Return how often each of the 256 bytes is there; two at once are counted in half the time."""
    whole = raw[: raw.size - raw.size % 2].view("<u2")
    pairs = np.bincount(whole, minlength=1 << 16).reshape(256, 256)
    counts: Array = pairs.sum(axis=0) + pairs.sum(axis=1)
    return counts + np.bincount(raw[whole.size * 2 :].view(np.uint8), minlength=256)


def sums_for(dtype: str, axes: Sequence[Axis], *, quick: bool = False) -> Sums:
    """Return what counts values of a dtype."""
    if INTEGERS.get(dtype, np.int16)().itemsize == 1 or (dtype.startswith("F8_") and not quick):
        return ByteSums(dtype, axes, quick=quick)
    return (IntegerSums if dtype in INTEGERS else FloatSums)(dtype, axes, quick=quick)


def norm_of(raw: Array, dtype: str, greatest: float) -> float:
    """Return the L2 norm of finite floats.

    Args:
        raw: bits of floats of two bytes or more, at most a piece.
        dtype: theirs.
        greatest: the greatest magnitude among them, which is not 0.
    """
    dtype = PARTS.get(dtype, dtype)
    if dtype == "F64" or not _SAFE[0] < greatest < _SAFE[1]:
        scaled = decoded(raw, dtype).astype(np.float64) / greatest
        return math.sqrt(float(np.dot(scaled, scaled))) * greatest
    return math.sqrt(sum(_part_squares(raw[start : start + _PART], dtype) for start in range(0, raw.size, _PART)))


def _part_squares(raw: Array, dtype: str) -> float:
    """Return the sum of squares of floats of two or four bytes."""
    if dtype == "BF16" and raw.size % 2 == 0:
        pairs = raw.view("<u4")  # two at once, without widening: the second one, and the first one in its place
        seconds, firsts = pairs & np.uint32(0xFFFF0000), pairs << np.uint32(16)
        return _squares(seconds.view(np.float32)) + _squares(firsts.view(np.float32))
    if dtype == "F16":
        # With 13 more bits of mantissa it is a float32 whose exponent is 112 too low, also if it is denormal.
        magnitudes = (raw & np.uint16(0x7FFF)).astype(np.uint32)
        np.left_shift(magnitudes, 13, out=magnitudes)
        values = magnitudes.view(np.float32)
        return _squares(np.multiply(values, np.float32(2.0**112), out=values))
    return _squares(decoded(raw, dtype))


def _squares(values: Array) -> float:
    """Return the sum of squares: of short stretches in float32, and of these in float64."""
    whole = values.size - values.size % _BLOCK
    rows = values[:whole].reshape(-1, _BLOCK)
    rest = values[whole:].astype(np.float64)
    sums = np.matmul(rows[:, None, :], rows[:, :, None])
    return float(sums.sum(dtype=np.float64)) + float(np.dot(rest, rest))
