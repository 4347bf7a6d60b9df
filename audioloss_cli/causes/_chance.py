"""Whether a level is what guessing costs: ln V for one codebook of V ids, a multiple of it for a sum of codebooks."""

import math

_SIZES = (512, 1026, 2048, 4096, 16384, 65536)  # 1024 and 2051 cost the same to within a thousandth
_CODEBOOKS = (4, 8, 9, 12, 16, 32)
_TOLERANCE = 0.03
_MOST_OF_ONE = 12.0  # nats; ln 65536 is 11.1


def chance(level: float) -> str:
    """The chance level that ``level`` (nats) is near, such as ``ln 1026 = 6.93``; empty if it is near none."""
    return _near(level, (1,)) if level <= _MOST_OF_ONE else ""


def summed_chance(level: float) -> str:
    """The sum of chance levels that ``level`` is near, such as ``8 x ln 1026 = 55.47``; empty if it is near none."""
    return _near(level, _CODEBOOKS) if level > _MOST_OF_ONE else ""


def _near(level: float, counts: tuple[int, ...]) -> str:
    found = [(abs(level / (count * math.log(size)) - 1), count, size) for count in counts for size in _SIZES]
    off, count, size = min(found)
    times = "" if count == 1 else f"{count} x "
    return f"{times}ln {size} = {count * math.log(size):.2f}" if off <= _TOLERANCE else ""
