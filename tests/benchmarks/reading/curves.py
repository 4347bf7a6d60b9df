"""Numbers of a healthy loss."""

from collections.abc import Iterator

import numpy as np

_BLOCK = 1 << 20  # values made at a time, however many there are


def healthy(size: int, seed: int = 0) -> Iterator[float]:
    """A loss that falls from 7 to 3 nats with 5 % noise."""
    rng = np.random.default_rng(seed)
    for start in range(0, size, _BLOCK):
        progress = np.arange(start, min(start + _BLOCK, size)) / max(size, 1)
        yield from ((3 + 4 * np.exp(-8 * progress)) * np.exp(0.05 * rng.standard_normal(len(progress)))).tolist()
