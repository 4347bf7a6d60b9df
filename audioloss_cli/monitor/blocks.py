"""Blocks of the baseline by the array: where they start, their extremes and medians, the reference before each."""

from collections.abc import Sequence
from typing import Any

import numpy as np  # noqa: TID253  # opened late, for long series only

from audioloss_cli.monitor.baseline import (
    ARMED_BLOCKS,
    ARMED_POINTS,
    BLOCK_POINTS,
    BLOCK_STEPS,
    BLOCKS,
    LEAST_BLOCKS,
    Block,
)


class Blocks:
    """The blocks of consecutive points, after some that are closed already.

    Attributes:
        starts: int64 [blocks], index of the first point of each.
        lowest, highest, medians: float64 [blocks]; NaN where a block holds one, but for the medians.
    """

    def __init__(self, steps: Any, values: Any, before: Sequence[Block]) -> None:
        keys = steps // BLOCK_STEPS
        self.starts = _starts(keys)
        self.lowest = np.minimum.reduceat(values, self.starts)
        self.highest = np.maximum.reduceat(values, self.starts)
        counts = np.diff(np.append(self.starts, len(values)))
        self.medians = _medians(values, self.starts, counts)
        self._before = len(before)
        self._medians = np.concatenate([[block.median for block in before], self.medians])
        self._keys = np.concatenate([np.array([block.key for block in before], np.int64), keys[self.starts]])
        self._counts = np.concatenate([np.array([block.points for block in before], np.int64), counts])

    def __len__(self) -> int:
        return len(self.starts)

    def widest(self) -> tuple[Any, Any]:
        """For each block the least and the greatest of the 40 medians before it: its reference lies between them.

        Infinite and minus infinite before the first of all.
        """
        below = np.concatenate([np.full(BLOCKS, np.inf), self._medians[:-1]])
        above = np.concatenate([np.full(BLOCKS, -np.inf), self._medians[:-1]])
        return _rolling(below, np.minimum)[self._before :], _rolling(above, np.maximum)[self._before :]

    def references(self, which: Any) -> Any:
        """The reference that is in force in each of the blocks ``which``, NaN for none: see ``Baseline.close``."""
        places = which[:, None] + self._before - BLOCKS + np.arange(BLOCKS)
        there = places >= 0
        places = np.maximum(places, 0)
        keys = self._keys[places]
        kept = there & (keys[:, -1:] - keys < BLOCKS)
        few = kept.sum(axis=1) < LEAST_BLOCKS
        kept[few] = there[few] & (np.arange(BLOCKS) >= BLOCKS - LEAST_BLOCKS)
        size = kept.sum(axis=1)
        rows = np.where(kept, self._medians[places], np.inf)
        rows.sort(axis=1)
        armed = (size >= ARMED_BLOCKS) & ((self._counts[places] * kept).sum(axis=1) >= ARMED_POINTS)
        level = _middle(rows, np.maximum(size, 1))
        return np.where(armed & (level > 0), level, np.nan)


def _rolling(values: Any, least_or_most: Any) -> Any:
    """Over each 40 neighbours; windows are doubled and joined, which is five passes instead of forty."""
    width = 1
    while width < BLOCKS:
        more = min(width, BLOCKS - width)
        values = least_or_most(values[more:], values[:-more])
        width += more
    return values


def _starts(keys: Any) -> Any:
    """A block of more than 25 points is cut, as the baseline does."""
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
    counts = np.diff(np.append(starts, len(keys)))
    if counts.max() <= BLOCK_POINTS:
        return starts
    places = np.arange(len(keys)) - np.repeat(starts, counts)
    return np.flatnonzero(places % BLOCK_POINTS == 0)


def _medians(values: Any, starts: Any, counts: Any) -> Any:
    """Rows are padded with infinity and sorted: rows of 25 are sorted by a network without a branch."""
    width = int(counts.max())
    if width == 1:
        return values
    rows = np.full((len(counts), width), np.inf)
    if len(counts) > 1 and counts[:-1].min() == width:  # only the last block is not full
        rows.reshape(-1)[: len(values)] = values
    else:
        rows[np.arange(width) < counts[:, None]] = values
    rows.sort(axis=1)
    return _middle(rows, counts)


def _middle(rows: Any, counts: Any) -> Any:
    """The same number that ``baseline.median`` gives for the first ``counts`` of each sorted row."""
    each = np.arange(len(counts))
    low, high = rows[each, (counts - 1) // 2], rows[each, counts // 2]
    return np.where(low == high, low, low / 2 + high / 2)
