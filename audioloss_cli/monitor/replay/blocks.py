"""Blocks of the baseline by the array: where they start, their extremes and medians, the reference before each."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np  # noqa: TID253  # opened late, for long series only

from audioloss_cli.monitor.history.baseline import (
    ARMED_BLOCKS,
    ARMED_POINTS,
    BLOCK_POINTS,
    BLOCKS,
    HIGHEST,
    KEPT_BLOCKS,
    LEAST_BLOCKS,
    TAIL,
    TREND,
    Baseline,
)
from audioloss_cli.monitor.history.block import Block, block_of


class Blocks:
    """The blocks of consecutive points, after some that are closed already.

    Attributes:
        starts: int64 [blocks], index of the first point of each.
        lowest, highest, medians: float64 [blocks]; where a block holds a NaN, the highest is no finite number.
        least, greatest: float64 [blocks], of the 40 medians before each, between which its reference lies; infinite
            and minus infinite before the first of all.
        least_level: float64 [blocks], below which the level before each does not lie.
    """

    def __init__(self, keys: Any, values: Any, before: Sequence[Block]) -> None:
        self.starts = _starts(keys)
        counts = np.diff(np.append(self.starts, len(values)))
        rows = _sorted_rows(values, counts)
        self.lowest, self.highest = rows[:, 0], rows[np.arange(len(rows)), counts - 1]
        self.medians = _middle(rows, counts)
        self._before, self._values = len(before), values
        padding = np.full(BLOCKS, np.inf)  # so that there are always 40 before a block
        self._medians = np.concatenate([padding, [block.median for block in before], self.medians])
        self._keys = np.concatenate([np.array([block.key for block in before], np.int64), keys[self.starts]])
        counts = np.concatenate([np.array([block.points for block in before], np.int64), counts])
        self._counted = np.append(0, np.cumsum(counts))
        self.least, self.greatest = self._widest()
        self.least_level = np.minimum(self.least, self._least_of_late()[self._before :])

    def __len__(self) -> int:
        return len(self.starts)

    def closed(self, count: int, previous: float | None) -> list[Block]:
        """The last ones of the first ``count``, as many as the baseline keeps, as ``block_of`` gives them.

        ``previous`` is the value before the first point of all.
        """
        first = max(count - KEPT_BLOCKS, 0)
        begin, end = int(self.starts[first]), int(self.starts[count]) if count < len(self) else len(self._values)
        values = self._values[begin:end]
        before = self._values[begin - 1] if begin else values[0] if previous is None else previous
        starts = self.starts[first:count] - begin
        counts = np.diff(np.append(starts, len(values)))
        distances = _middle(_sorted_rows(np.abs(np.diff(values, prepend=before)), counts), counts)
        medians = self.medians[first:count]
        columns = (self._keys[self._before + first :], counts, medians, distances)
        return list(map(Block, *(column[: len(medians)].tolist() for column in columns)))

    def noted(self, count: int, baseline: Baseline) -> Iterator[int]:
        """Yield those of the first ``count`` that the baseline keeps for a resume, by what it keeps at that moment."""
        keys, number = self._keys[self._before :], 0
        while number < count:
            wanted = baseline.trail.next_noted
            number = number if wanted is None else max(number, int(np.searchsorted(keys[:count], wanted)))
            if number < count:
                yield number
            number += 1

    def closed_one(self, number: int, previous: float | None) -> Block:
        """One of the blocks, as ``block_of`` gives it."""
        begin = int(self.starts[number])
        end = int(self.starts[number + 1]) if number + 1 < len(self) else len(self._values)
        before = float(self._values[begin - 1]) if begin else previous
        return block_of(int(self._keys[self._before + number]), self._values[begin:end].tolist(), before)

    def _widest(self) -> tuple[Any, Any]:
        """The extremes of the medians of fives where that can be, for a median lies between those of its parts too."""
        below, above = self._medians[:-1], self._medians[:-1].copy()
        above[:BLOCKS] = -np.inf
        least, greatest = _rolling(below, np.minimum, BLOCKS), _rolling(above, np.maximum, BLOCKS)
        size = self._usual_size()
        if size and len(least) > BLOCKS:
            fives = _medians_of_five(self._medians[BLOCKS:-1])
            parts = size // 5
            least[BLOCKS:] = _rolling(fives, np.minimum, parts, 5)[-len(least) + BLOCKS :]
            greatest[BLOCKS:] = _rolling(fives, np.maximum, parts, 5)[-len(greatest) + BLOCKS :]
        return least[self._before :], greatest[self._before :]

    def _least_of_late(self) -> Any:
        """What neither the median of the last 12 blocks is below, nor the highest of the last 3, before each block.

        At least two of each three are not below their median, so that the lowest of four of these is not above that of
        all twelve. Where there are fewer blocks it is the lowest of them.
        """
        longest = TREND[0][0]
        medians = self._medians[BLOCKS - longest : -1]
        threes = _rolling(_medians_of_three(medians), np.minimum, longest // HIGHEST, HIGHEST)
        threes[:longest] = _rolling(medians[: 2 * longest - 1], np.minimum, longest)
        return threes

    def _usual_size(self) -> int:
        """How many blocks the baseline keeps, if it always is 30 or always 40; else 0."""
        apart = np.diff(self._keys)
        if not len(apart) or apart.max() <= 1:
            return BLOCKS
        return LEAST_BLOCKS if apart.min() * (LEAST_BLOCKS - 1) >= BLOCKS else 0

    def references(self, which: Any) -> Any:
        """The reference that is in force in each of the blocks ``which``, NaN for none: see ``Baseline.close``."""
        ends = which + self._before  # number of blocks before each
        young = ends - np.searchsorted(self._keys, self._keys[ends - 1] - BLOCKS, "right")
        size = np.clip(young, np.minimum(ends, LEAST_BLOCKS), BLOCKS)
        rows = np.lib.stride_tricks.sliding_window_view(self._medians, BLOCKS)[ends]
        few = np.flatnonzero(size < BLOCKS)
        rows[few] = np.where(np.arange(BLOCKS) >= BLOCKS - size[few, None], rows[few], np.inf)
        rows.sort(axis=1)
        armed = (size >= ARMED_BLOCKS) & (self._counted[ends] - self._counted[ends - size] >= ARMED_POINTS)
        level = _middle(rows, np.maximum(size, 1))
        return np.where(armed & (level > 0), level, np.nan)

    def levels(self, which: Any, references: Any) -> Any:
        """The level that is in force in each of the blocks ``which``, whose ``references`` are these."""
        level = references.copy()
        for count, share, times in TREND:
            recent = self.recent(which, count) if count > HIGHEST else self._highest(which, count)
            lower = np.flatnonzero((recent > 0) & (recent < share * level))
            far = level[lower] - recent[lower] > times * recent[lower] * self._jitter(which[lower])
            level[lower[far]] = recent[lower[far]]
        return level

    def _jitter(self, which: Any) -> Any:
        """What ``baseline._jitter`` gives for the last 12 blocks before each of the blocks ``which``."""
        ends, longest = which + self._before, TREND[0][0]
        medians = np.lib.stride_tricks.sliding_window_view(self._medians[BLOCKS - longest :], longest)[ends]
        before, counts = medians[:, :-1], np.clip(ends, 1, longest) - 1
        there = np.arange(longest - 1) >= longest - 1 - counts[:, None]
        steps = np.zeros(before.shape)
        np.divide(medians[:, 1:] - before, before, out=steps, where=there & (before > 0))
        usual = _middle(np.sort(np.where(there, steps, np.inf), axis=1), np.maximum(counts, 1))
        apart = np.sort(np.where(there, np.abs(steps - usual[:, None]), np.inf), axis=1)
        counted = np.maximum(counts, 1)
        upper = apart[np.arange(len(apart)), counted * 4 // 5] / TAIL  # see ``baseline._typical``
        return np.where(counts > 0, np.maximum(_middle(apart, counted), upper), 0.0)

    def _highest(self, which: Any, count: int) -> Any:
        """The highest of the last ``count`` block medians before each of the blocks ``which``; infinite for fewer."""
        ends = which + self._before
        return np.lib.stride_tricks.sliding_window_view(self._medians[BLOCKS - count :], count)[ends].max(axis=1)

    def recent(self, which: Any, count: int) -> Any:
        """The median of the last ``count`` block medians before each of the blocks ``which``; NaN without any."""
        ends = which + self._before
        rows = np.lib.stride_tricks.sliding_window_view(self._medians[BLOCKS - count :], count)[ends]
        rows = np.sort(rows, axis=1)  # what is not there is infinite, and comes last
        return np.where(ends > 0, _middle(rows, np.clip(ends, 1, count)), np.nan)


def _rolling(values: Any, least_or_most: Any, count: int, stride: int = 1) -> Any:
    """Over each ``count`` values, ``stride`` apart; windows are doubled and joined: six passes for forty."""
    width = 1
    while width < count:
        more = min(width, count - width)
        values = least_or_most(values[more * stride :], values[: -more * stride])
        width += more
    return values


def _medians_of_three(values: Any) -> Any:
    """Of each three neighbours."""
    a, b, c = (values[place : len(values) - 2 + place] for place in range(HIGHEST))
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _medians_of_five(values: Any) -> Any:
    """Of each five neighbours, by the network of Devillard, "Fast median search" (1998)."""
    a, b, c, d, e = (values[place : len(values) - 4 + place] for place in range(5))
    a, b = np.minimum(a, b), np.maximum(a, b)
    d, e = np.minimum(d, e), np.maximum(d, e)
    d, b = np.maximum(a, d), np.minimum(b, e)
    b, c = np.minimum(b, c), np.maximum(b, c)
    return np.maximum(b, np.minimum(c, d))


def _starts(keys: Any) -> Any:
    """A block of more than 25 points is cut, as the baseline does."""
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
    counts = np.diff(np.append(starts, len(keys)))
    if counts.max() <= BLOCK_POINTS:
        return starts
    places = np.arange(len(keys)) - np.repeat(starts, counts)
    return np.flatnonzero(places % BLOCK_POINTS == 0)


def _sorted_rows(values: Any, counts: Any) -> Any:
    """The values in rows of so many, padded with infinity: rows of 25 are sorted by a network without a branch."""
    width = int(counts.max())
    if width == 1:
        return values[:, None]
    rows = np.full((len(counts), width), np.inf)
    if len(counts) > 1 and counts[:-1].min() == width:  # only the last block is not full
        rows.reshape(-1)[: len(values)] = values
    else:
        rows[np.arange(width) < counts[:, None]] = values
    rows.sort(axis=1)
    return rows


def _middle(rows: Any, counts: Any) -> Any:
    """The same number that ``baseline.median`` gives for the first ``counts`` of each sorted row."""
    if rows.shape[1] == 1:
        return rows[:, 0]
    each = np.arange(len(counts))
    low, high = rows[each, (counts - 1) // 2], rows[each, counts // 2]
    return np.where(low == high, low, low / 2 + high / 2)
