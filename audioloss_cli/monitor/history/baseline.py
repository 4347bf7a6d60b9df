"""The usual level of a series: a median of medians over its last 1000 steps, and one that follows a falling loss.

A median of block medians (Rousseeuw and Bassett, "The remedian", JASA 85, 1990) is as deaf to outliers as a median and
costs few short sorts every 25 steps, instead of one long one a point. A loss that still falls is far below that median,
so that what rises is held against the last blocks where they are clearly lower: the level. Blocks are cut by the step
alone, so that points in any chunking, and points taken in by the thousand, give the same blocks.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

from audioloss_cli.model.median import median
from audioloss_cli.monitor.history.block import Block, block_of
from audioloss_cli.monitor.history.trail import Trail

BLOCK_STEPS = BLOCK_POINTS = 25  # a block is over after so many steps, or so many points
BLOCKS, LEAST_BLOCKS = 40, 30  # 1000 steps, and at least 30 blocks: a sparse log has one point in each
# Trouble that comes slowly has its part in what is usual before anybody knows of it; so many blocks earlier it had not.
_EARLIER = 12
KEPT_BLOCKS = BLOCKS + _EARLIER
ARMED_POINTS, ARMED_BLOCKS = 12, 4
# What lies below the first of these shares of the level does not change it, if 2 of the last 9 points do; nor what lies
# above the second, if the last 3 points do.
USUAL, FEW, MANY, COMPANY = (0.25, 1.5), 2, 3, 9
_LAG, _FAR = 8, 1.2
_LEVEL_BLOCKS = 5
# The level is the median of the last 12 blocks, or the highest of the last 3, where that is below a share of it, and
# lower by so many times the usual distance of neighbouring blocks around their trend that it is no chance.
TREND = ((12, 0.95, 2.0), (3, 0.8, 3.0))
HIGHEST = 3
TAIL = 2.4  # so many times the median is what a fifth of the distances exceed where tails are heavy; 1.9 of plain noise
LEFT_BLOCKS = 20  # ... and over so many, whether a series has left where it was


class Baseline:
    """Blocks in, level and spread out.

    Args:
        per_update: how far the axis moves in one update.

    Attributes:
        block_steps: how far it moves in a block.
        blocks: the last closed ones.
        reference: median of the block medians; None until there are enough, or where it is not positive.
        level: the same, or the median of the last 12 or 3 blocks where that is clearly lower.
        middle: median of the block medians, also where it is not positive; None until there are enough.
        lowest: the lowest median of 20 blocks so far, as long as it was ``noted``; infinite before there is one.
        noted: whether somebody wants to know.
        key, values: of the open block.
        previous: the value before those; None at the start.
        trail: closed blocks of the whole segment.
    """

    def __init__(self, per_update: float = 1.0) -> None:
        self.block_steps = max(round(BLOCK_STEPS * per_update), 1)
        self.noted = True
        self.forget()

    def forget(self) -> None:
        """The steps went back: what was usual before says nothing about what comes."""
        self.blocks: deque[Block] = deque(maxlen=KEPT_BLOCKS)
        self._recent: Sequence[Block] = ()  # those of them that say what is usual
        self.lowest = float("inf")
        self.reference: float | None = None
        self.level: float | None = None
        self.middle: float | None = None
        self._spread: float | None = None
        self._earlier: tuple[float, float] | None = None
        self._highs: dict[float, float] = {}
        self.key = 0
        self.values: list[float] = []
        self.previous: float | None = None
        self.trail = Trail()

    def turn(self, step: int) -> bool:
        """Close the open block if a point at ``step`` does not belong to it; whether that was so."""
        if not self.values or (step // self.block_steps == self.key and len(self.values) < BLOCK_POINTS):
            return False
        block = block_of(self.key, self.values, self.previous)
        self.trail.note(block)
        self.close([block])
        self.previous, self.values = self.values[-1], []
        return True

    def fold(self, step: int, value: float) -> None:
        """Take in one finite value; see ``turn`` first."""
        if not self.values:
            self.key = step // self.block_steps
        self.values.append(value)

    def close(self, blocks: Sequence[Block]) -> None:
        """Take in whole blocks, and say anew what is usual."""
        self.blocks.extend(blocks)
        self._measure()
        if self.noted and self.reference is not None:
            self.lowest = min(
                self.lowest, median([block.median for block in islice(reversed(self.blocks), LEFT_BLOCKS)])
            )

    def _measure(self) -> None:
        self._recent = _last(list(self.blocks))
        medians = [block.median for block in self._recent]
        self.middle = median(medians) if self._is_armed() else None
        self.reference = self.middle if self.middle is not None and self.middle > 0 else None
        self.level, self._spread, self._earlier, self._highs = self.reference, None, None, {}
        if self.level is not None:
            for count, share, times in TREND:
                recent = median(medians[-count:]) if count > HIGHEST else max(medians[-count:])
                if not 0 < recent < share * self.level:
                    continue
                if self.level - recent > times * recent * _jitter(medians[-TREND[0][0] :]):
                    self.level = recent

    def resume(self, step: int) -> bool:
        """Have the blocks up to a step again as the last ones; False, and nothing at all, if they are too few.

        What came before at the same steps is the best baseline there is, whatever was logged behind it.
        """
        key = step // self.block_steps
        known = {block.key: block for block in (*self.trail.blocks, *self.blocks)}
        blocks = [known[each] for each in sorted(known) if each <= key][-LEAST_BLOCKS:]
        trail, lowest = self.trail.up_to(key), self.lowest
        self.forget()
        if sum(block.points for block in blocks) < ARMED_POINTS or len(blocks) < ARMED_BLOCKS:
            return False
        self.trail, self.lowest = trail, lowest
        self.close(blocks)
        return True

    def level_before(self, step: int) -> float | None:
        """Median of the last blocks that ended before a step, as far as they are known; None without any."""
        key = step // self.block_steps
        known = [block for block in (*self.trail.blocks, *self.blocks) if block.key < key]
        known.sort(key=lambda block: block.key)
        return median([block.median for block in known[-_LEVEL_BLOCKS:]]) if known else None

    def _is_armed(self) -> bool:
        count = len(self._recent)
        return count >= ARMED_POINTS or (
            count >= ARMED_BLOCKS and sum(block.points for block in self._recent) >= ARMED_POINTS
        )

    @property
    def spread(self) -> float:
        """How far apart points usually are for no reason, in the unit of the loss; 0 without a reference.

        The median of the block spreads, or 1.2 times the median distance of block medians 200 steps apart if that is
        more: noise that is correlated from point to point hides from the first. The trend of a series is no noise: of
        these distances only what differs from the usual one counts. Both are shares of the level, so that a shift of
        the level does not look like noise.
        """
        if self._spread is None:
            self._spread = self.level * _apart(self._recent) if self.level else 0.0
        return self._spread

    @property
    def earlier(self) -> tuple[float, float]:
        """Level and spread of 12 blocks earlier; those of now before so much is known."""
        if self._earlier is None:
            blocks = _last(list(self.blocks)[:-_EARLIER])
            if len(blocks) < LEAST_BLOCKS:
                return self.level or 0.0, self.spread
            level = median([block.median for block in blocks])
            self._earlier = level, level * _apart(blocks)
        return self._earlier

    def high(self, times: float) -> float:
        """How high it lay now and then, until 12 blocks earlier, since it was below so many times its level first."""
        if times not in self._highs:
            known = len(self.blocks) > _EARLIER
            before = self.trail.up_to(self.blocks[-_EARLIER - 1].key) if known else Trail()
            self._highs[times] = before.high_since(times * (self.level or 0.0))
        return self._highs[times]

    @property
    def noise(self) -> float:
        """The same for a series that may be negative, which has no shares; 0 before there are enough blocks."""
        if self.middle is None:
            return 0.0
        if _has_a_point_in_each(self._recent):  # of so few points all that are known count
            return median([block.distance for block in self.blocks])
        near = median([block.distance for block in self._recent])
        return max(near, _FAR * _around_the_trend([block.median for block in self._recent], relative=False))

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        return {
            "blocks": [list(block) for block in self.blocks],
            "lowest": None if self.lowest == float("inf") else self.lowest,
            "key": self.key,
            "values": list(self.values),
            "previous": self.previous,
            "trail": [list(block) for block in self.trail.blocks],
            "gap": self.trail.gap,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.blocks = deque((Block(*block) for block in state["blocks"]), maxlen=KEPT_BLOCKS)
        self.reference = self.level = self.middle = self._spread = self._earlier = None
        if self.blocks:
            self._measure()
        self.lowest = float("inf") if state["lowest"] is None else state["lowest"]
        self.trail = Trail([Block(*block) for block in state.get("trail", ())], state.get("gap", 1))
        self.key, self.values, self.previous = state["key"], list(state["values"]), state["previous"]


def _last(blocks: list[Block]) -> list[Block]:
    """Those of the last 1000 steps, and 30 at least."""
    kept = blocks[-BLOCKS:]
    first = 0
    while len(kept) - first > LEAST_BLOCKS and kept[-1].key - kept[first].key >= BLOCKS:
        first += 1
    return kept[first:]


def _apart(blocks: Sequence[Block]) -> float:
    """How far apart points usually are, as a share of the level: see ``Baseline.spread``."""
    near = _typical([block.spread for block in blocks])
    if len(blocks) <= _LAG or _has_a_point_in_each(blocks):
        return near
    return max(near, _FAR * _around_the_trend([block.median for block in blocks], relative=True))


def _has_a_point_in_each(blocks: Sequence[Block]) -> bool:
    """Whether most blocks are of one point, so that neighbouring blocks are neighbouring points."""
    return median([block.points for block in blocks]) <= 1


def _around_the_trend(medians: Sequence[float], *, relative: bool) -> float:
    """Median deviation of the distances over 200 steps from the usual one; 0 for too few blocks."""
    pairs = list(zip(medians, medians[_LAG:], strict=False))
    steps = [(after - before) / (before if relative else 1.0) for before, after in pairs if before > 0 or not relative]
    usual = median(steps) if steps else 0.0
    return median([abs(step - usual) for step in steps]) if steps else 0.0


def _jitter(medians: Sequence[float]) -> float:
    """How far steps between neighbours lie from the usual step, as a share of the first of both; 0 for one alone."""
    steps = [(after - before) / before if before > 0 else 0.0 for before, after in pairwise(medians)]
    usual = median(steps) if steps else 0.0
    return _typical([abs(step - usual) for step in steps]) if steps else 0.0


def _typical(distances: Sequence[float]) -> float:
    """Their median; of heavy tails, of which a few points show less than there is, a share of what a fifth exceed."""
    return max(median(distances), sorted(distances)[len(distances) * 4 // 5] / TAIL)
