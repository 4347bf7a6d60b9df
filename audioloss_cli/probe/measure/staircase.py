"""Whether the codebooks of each segment begin, or end, one column after the other."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

_WINDOW = 4  # times the codebooks: columns that are looked at first
Ids = npt.NDArray[np.int64]


def delays(codes: Tensor, segments: Tensor, bos: int | None, eos: int | None) -> dict[int, bool]:
    """Segment -> whether its codes are delayed, for those that show it by their BOS, or else by their EOS.

    Args:
        codes: [N, K] int64, on the CPU.
        segments: [N] int64, never falling.
        bos: id that begins a segment; None where there is none.
        eos: id that ends one.
    """
    if codes.shape[1] <= 1 or not len(codes):
        return {}
    rows, numbers = codes.numpy(), segments.numpy()
    starts = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    ends = np.append(starts[1:], len(rows))
    sizes = ends - starts
    found = _shown(rows, starts, sizes, bos)
    unknown = found < 0
    if eos is not None and unknown.any():
        found[unknown] = _shown(rows[::-1, ::-1], (len(rows) - ends)[unknown], sizes[unknown], eos)
    patterns = zip(numbers[starts].tolist(), found.tolist(), strict=True)
    return {number: pattern == 1 for number, pattern in patterns if pattern >= 0}


def _shown(codes: Ids, starts: Ids, sizes: Ids, special: int | None) -> Ids:
    """[S] int64: by the leading special ids of each codebook 1 if they are one more each, 0 if equally many.

    -1 where they show neither.
    """
    if special is None:
        return np.full_like(starts, -1)
    window = _WINDOW * codes.shape[1]
    lead = _leading(codes, starts, sizes, special, window)
    if (lead >= window).any():  # padded on the left by more than that
        lead = _leading(codes, starts, sizes, special, int(sizes.max()))
    more = lead - lead[:, :1]
    delayed = (more == np.arange(codes.shape[1])).all(1)
    straight = (more == 0).all(1)
    return np.where(lead[:, 0] < 1, -1, np.where(delayed, 1, np.where(straight, 0, -1)))


def _leading(codes: Ids, starts: Ids, sizes: Ids, special: int, window: int) -> Ids:
    """[S, K] int64: leading special ids among the first ``window`` columns of each segment."""
    steps = np.arange(window)
    rows = np.minimum(starts[:, None] + steps, len(codes) - 1)
    others = (codes[rows] != special) | (steps >= sizes[:, None])[:, :, None]
    return np.where(others.any(1), others.argmax(1), window)
