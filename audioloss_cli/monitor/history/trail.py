"""The course of a whole segment by some of its blocks: for a resume from far back, and for how high noise takes it.

What was usual over the last 1000 steps says little of a loss whose noise stays for some hundred steps: it may have been
low all the time, and go up to where it often was before.
"""

from collections.abc import Sequence

from audioloss_cli.model.median import median
from audioloss_cli.monitor.history.block import Block

_MOST = 128  # blocks, thinned out evenly
_WIDTH = 5  # blocks whose median says where the loss was
# One block in so many lies as high as the loss does at times; of blocks of fewer than 5 points, whose medians move by
# chance, one in fewer.
_SELDOM, _SELDOM_OF_FEW, _FEW = 20, 10, 5


class Trail:
    """Closed blocks of a segment, evenly spread over it.

    Attributes:
        blocks: at most 128, oldest first.
        gap: how many keys they lie apart at least.
    """

    def __init__(self, blocks: Sequence[Block] = (), gap: int = 1) -> None:
        self.blocks, self.gap = list(blocks), gap

    def note(self, block: Block) -> None:
        """Keep a closed block, if the last one that was kept lies far enough back; else do nothing."""
        blocks = self.blocks
        if blocks and block.key - blocks[-1].key < self.gap:
            return
        blocks.append(block)
        if len(blocks) > _MOST:
            self.gap *= 2
            kept = blocks[:1]
            for each in blocks:
                if each.key - kept[-1].key >= self.gap:
                    kept.append(each)
            self.blocks = kept

    @property
    def next_noted(self) -> int | None:
        """Key from which on a block is kept; None for any."""
        return self.blocks[-1].key + self.gap if self.blocks else None

    def up_to(self, key: int) -> "Trail":
        """The same without what came after a block."""
        return Trail([block for block in self.blocks if block.key <= key], self.gap)

    def high_since(self, level: float) -> float:
        """What one block in 20 reached since the median of 5 was first at most ``level``; 0 if it never was."""
        medians = [block.median for block in self.blocks]
        middle = _WIDTH // 2  # of such 5 blocks: those before may still come from far above
        first = next(
            (at + middle for at in range(len(medians) - _WIDTH + 1) if median(medians[at : at + _WIDTH]) <= level), None
        )
        if first is None:
            return 0.0
        few = median([block.points for block in self.blocks[first:]]) < _FEW
        return sorted(medians[first:], reverse=True)[(len(medians) - first) // (_SELDOM_OF_FEW if few else _SELDOM)]
