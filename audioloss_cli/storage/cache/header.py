"""What the header of a reading may hold: a file that somebody else wrote, or damaged, must not get past it."""

from itertools import pairwise
from typing import Any, get_args

from audioloss_cli.model.series import DefectKind, StepSource
from audioloss_cli.model.shape import COUNT, Either, has_shape

LONGEST_HEADER = 1 << 24  # bytes; parsed, it takes some 20 times as much memory
BYTES_OF_A_POINT = 24  # step, value, wall time

_SHAPE = {
    "key": str,
    "fingerprint": (COUNT, Either(int, None), str),
    "series": [(str, str, frozenset(get_args(StepSource)), [COUNT], COUNT)],  # run, tag, source, restarts, points
    "defects": [(frozenset(get_args(DefectKind)), str, Either(COUNT, None), Either(COUNT, None))],
    "notes": [str],
    "mark": Either((COUNT, dict), None),
}


def is_sound(header: Any, size: int) -> bool:
    """Tell whether ``Draft`` can have written a header behind ``size`` bytes of columns."""
    if not has_shape(header, _SHAPE):
        return False
    if sum(points for *_, points in header["series"]) * BYTES_OF_A_POINT != size:
        return False
    return all(_rises(restarts, points) for *_, restarts, points in header["series"])


def _rises(restarts: list[int], points: int) -> bool:
    """Whether these are places in a part, in order; the last may stand behind it."""
    return all(one <= other for one, other in pairwise([*restarts, points]))
