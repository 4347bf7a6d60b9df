"""What the monitor and its rules work on: one point of a series, and what was logged beside it."""

from collections.abc import Mapping
from typing import NamedTuple, NoReturn


class _Nothing(dict[str, float]):
    """One for all, which is asked as fast as a dict. A proxy of one cannot be copied, nor a monitor that holds it."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("nothing stands beside these points, and nothing can be put there")

    __setitem__ = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> str:
        return "NOTHING"


NOTHING: Mapping[str, float] = _Nothing()

#: Names under which other series of the run stand beside a point; codebooks are ``codebook/0``, ``codebook/1``, ...,
#: the own one among them, and ``codebook`` is its number.
GRAD_NORM, EPOCH, TOTAL, TEXT, CODEBOOK, OWN_CODEBOOK = "grad_norm", "epoch", "total", "text", "codebook/", "codebook"
LEARNING_RATE, REWARD = "learning_rate", "reward"


class Point(NamedTuple):
    """One point: training step, loss as logged, Unix seconds (NaN when unknown), other series at the same step."""

    step: int
    value: float
    wall_time: float
    beside: Mapping[str, float] = NOTHING
