"""The notation of a series in a test file, after that of promtool for unit tests of Prometheus rules.

A series is a row of tokens with blanks or line ends between them. Each says what is logged at the next steps::

    series = token { blank token }
    token  = "_" [ "x" N ]                        1 or N steps at which nothing is logged
           | value [ "x" N ]                      1 or N points of this value
           | number ( "+" | "-" ) decimal "x" N   N points A, A + B, A + 2B, ... (or A - B, A - 2B, ...)
    value  = number | "nan" | "inf" | "-inf" | "null"
    number = [ "+" | "-" ] decimal
    N      = a whole number, 1 or more

A decimal is what float64 is written as: ``6``, ``6.9``, ``.5``, ``1e-3``. ``null`` is a value that the log names and
leaves empty, as JSON's null; at ``_`` the log says nothing of the series.

N is the number of points, always. That is where promtool differs: its ``AxN`` and ``A+BxN`` make N + 1 points, and only
its ``_xN`` makes N. So ``6.9-0.01x400 0.004x50 _x10`` is 400 points from 6.9 down to 2.91, 50 of 0.004, and 10 steps
without one.
"""

import math
import re
from array import array
from collections.abc import Sequence

from audioloss_cli.model import MISSING, Series

#: Steps that one series may describe; a test needs a few windows, and a mistyped N must not fill the memory.
MOST_STEPS = 2_000_000

_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "null": MISSING}
_DECIMAL = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?:(?P<word>_|nan|-?inf|null)|(?P<number>[+-]?{_DECIMAL})(?P<change>[+-]{_DECIMAL})?)(?:x(?P<count>[0-9]+))?"
)
_LONGEST_TOKEN = 100
_FORMS = "V, VxN, A+BxN, A-BxN, _ or _xN, where V is a number, nan, inf, -inf or null and A, B are numbers"


class NotationError(ValueError):
    """A token that means nothing; the message names it and its place in the row."""


def expand(text: str, tag: str, start: int = 0, interval: int = 1) -> Series:
    """The series that a row of tokens describes.

    Args:
        text: the row.
        tag: name of the series.
        start: training step of what the first token says.
        interval: training steps from one point to the next.

    Raises:
        NotationError: a token that means nothing, more than ``MOST_STEPS`` steps, or not a single point.
    """
    steps, values, position = array("q"), array("d"), 0
    for number, found in enumerate(re.finditer(r"\S+", text), 1):
        try:
            run, count = _points(found[0], MOST_STEPS - position)
        except NotationError as error:
            shown = found[0] if len(found[0]) <= _LONGEST_TOKEN else found[0][:_LONGEST_TOKEN] + "..."
            raise NotationError(f"token {number}, {shown!r} at character {found.start() + 1}, {error}") from None
        values.extend(run)
        steps.extend(range(start + position * interval, start + (position + len(run)) * interval, interval))
        position += count
    if not values:
        raise NotationError(f"there is no point in it; write tokens such as {_FORMS}")
    return Series(tag, steps, values)


def _points(token: str, most: int) -> tuple[Sequence[float], int]:
    """The values that a token stands for, and the number of steps that it takes."""
    found = _TOKEN.fullmatch(token) if len(token) <= _LONGEST_TOKEN else None
    if found is None:
        raise NotationError(f"is none of {_FORMS}")
    if found["change"] and not found["count"]:
        raise NotationError(f"lacks the number of its points; write {token}x10 for 10 of them")
    count = int(found["count"] or 1)
    if count < 1:
        raise NotationError("stands for nothing: N must be 1 or more")
    if count > most:
        raise NotationError(f"takes the series beyond {MOST_STEPS:,} steps, which is the most")
    if found["word"] == "_":
        return (), count
    return (_ramp(found, count) if found["number"] else array("d", [_WORDS[found["word"]]]) * count), count


def _ramp(found: re.Match[str], count: int) -> Sequence[float]:
    """A, A + B, ...: each by one product, so that no error adds up."""
    first, change = float(found["number"]), float(found["change"] or 0)
    last = first + change * (count - 1)
    if not all(map(math.isfinite, (first, change, last))):
        raise NotationError("leaves the range of float64; write inf or -inf if that is meant")
    return [first + change * index for index in range(count)]
