"""The usual level of a series: a median of medians over its last 1000 steps.

A median of block medians (Rousseeuw and Bassett, "The remedian", JASA 85, 1990) is as deaf to outliers as a median and
costs two short sorts every 25 steps, instead of one long one a point. Blocks are cut by the step alone, so that points
in any chunking, and points taken in by the thousand, give the same blocks.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from audioloss_cli.model.median import median

BLOCK_STEPS = BLOCK_POINTS = 25  # a block is over after so many steps, or so many points
BLOCKS, LEAST_BLOCKS = 40, 30  # 1000 steps, and at least 30 blocks: a sparse log has one point in each
ARMED_POINTS, ARMED_BLOCKS = 12, 4
# What lies outside these shares of the reference does not change it, if another one of the last 9 points does, too.
USUAL, COMPANY = (0.25, 1.5), 9
_LAG, _FAR = 8, 1.2


class Block(NamedTuple):
    """The points of 25 steps: which ones, how many, their median, how far neighbours lie apart as a share of it."""

    key: int
    points: int
    median: float
    spread: float


class Baseline:
    """Blocks in, level and spread out.

    Attributes:
        blocks: the last closed ones.
        reference: median of the block medians; None until there are enough, or where it is not positive.
        lowest: the lowest reference so far, as long as it was ``noted``; infinite before there is one.
        noted: whether somebody wants to know.
        key, values: of the open block.
        previous: the value before those; None at the start.
    """

    def __init__(self) -> None:
        self.noted = True
        self.forget()

    def forget(self) -> None:
        """The steps went back: what was usual before says nothing about what comes."""
        self.blocks: deque[Block] = deque(maxlen=BLOCKS)
        self.lowest = float("inf")
        self.reference: float | None = None
        self._spread: float | None = None
        self.key = 0
        self.values: list[float] = []
        self.previous: float | None = None

    def turn(self, step: int) -> bool:
        """Close the open block if a point at ``step`` does not belong to it; whether that was so."""
        if not self.values or (step // BLOCK_STEPS == self.key and len(self.values) < BLOCK_POINTS):
            return False
        self.close([block_of(self.key, self.values, self.previous)])
        self.previous, self.values = self.values[-1], []
        return True

    def fold(self, step: int, value: float) -> None:
        """Take in one finite value; see ``turn`` first."""
        if not self.values:
            self.key = step // BLOCK_STEPS
        self.values.append(value)

    def close(self, blocks: Sequence[Block]) -> None:
        """Take in whole blocks, and say anew what is usual."""
        self.blocks.extend(blocks)
        newest = self.blocks[-1].key
        while len(self.blocks) > LEAST_BLOCKS and newest - self.blocks[0].key >= BLOCKS:
            self.blocks.popleft()
        level = median([block.median for block in self.blocks]) if self._is_armed() else 0.0
        self.reference = level if level > 0 else None
        self._spread = None
        if self.noted and self.reference is not None:
            self.lowest = min(self.lowest, self.reference)

    def _is_armed(self) -> bool:
        count = len(self.blocks)
        return count >= ARMED_POINTS or (
            count >= ARMED_BLOCKS and sum(block.points for block in self.blocks) >= ARMED_POINTS
        )

    @property
    def spread(self) -> float:
        """How far apart points usually are for no reason, in the unit of the loss; 0 without a reference.

        The median of the block spreads, or 1.2 times the median distance of block medians 200 steps apart if that is
        more: noise that is correlated from point to point hides from the first. Both are shares of the level, so that
        a shift of the level does not look like noise.
        """
        if self._spread is None:
            self._spread = self.reference * self._apart() if self.reference else 0.0
        return self._spread

    def _apart(self) -> float:
        blocks = list(self.blocks)
        near = median([block.spread for block in blocks])
        if len(blocks) <= _LAG or median([block.points for block in blocks]) <= 1:
            return near  # neighbouring blocks are neighbouring points
        medians = [block.median for block in blocks]
        pairs = zip(medians, medians[_LAG:], strict=False)
        far = [abs(after - before) / before if before > 0 else 0.0 for before, after in pairs]  # see _share
        return max(near, _FAR * median(far))

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        return {
            "blocks": [list(block) for block in self.blocks],
            "reference": self.reference,
            "lowest": None if self.lowest == float("inf") else self.lowest,
            "key": self.key,
            "values": list(self.values),
            "previous": self.previous,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.blocks = deque((Block(*block) for block in state["blocks"]), maxlen=BLOCKS)
        self.reference, self._spread = state["reference"], None
        self.lowest = float("inf") if state["lowest"] is None else state["lowest"]
        self.key, self.values, self.previous = state["key"], list(state["values"]), state["previous"]


def block_of(key: int, values: Sequence[float], previous: float | None) -> Block:
    """The block of these values; ``previous`` is the value before the first."""
    if len(values) == 1:
        return Block(key, 1, values[0], 0.0 if previous is None else _share(values[0] - previous, values[0]))
    before = [values[0] if previous is None else previous, *values[:-1]]
    distances = [abs(after - prior) for prior, after in zip(before, values, strict=True)]
    middle = median(values)
    return Block(key, len(values), middle, _share(median(distances), middle))


def _share(distance: float, level: float) -> float:
    """Of a level; nothing where the level is not positive, for then there is no reference either."""
    return abs(distance) / level if level > 0 else 0.0
