"""One codebook of several is not logged any more.

What: For 500 training steps and 5 points a codebook has no loss though most others have: one that was logged before, or
one of few whose numbers are missing between those of the others. Said once, at the codebook of the lowest number.

Why: A codebook without a loss is not trained: its labels were dropped, its head is not called, or its loss is NaN and
was left out of the log.

Fix: Check that the loop over codebooks runs over all of them, and log the loss of each even if it is NaN.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from audioloss_cli.model import LossRule, Point, SeriesHistory, Severity
from audioloss_cli.model.point import CODEBOOK, OWN_CODEBOOK
from audioloss_cli.rules._codebooks import LEAST_CODEBOOKS, codebooks, siblings

_MOST_DIGITS = 2
_FEW = 4  # where more than one in four numbers is missing, somebody logs a choice of codebooks


class Rule(LossRule):
    """A number that is missing."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "the loop over the codebooks"
    group = "codebook-missing"
    for_steps = 500
    for_points = 5
    inactive = None

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether too few codebooks are logged."""
        return len(codebooks(history.names)) < LEAST_CODEBOOKS

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether one is missing, and this is the place to say so; None where hardly any codebook was logged."""
        there = _numbers(tuple(point.beside))
        if not there or 2 * len(there) <= len(_numbers(frozenset(history.names))):
            return None
        return min(there) == point.beside.get(OWN_CODEBOOK) and bool(_missing(point, history))

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """Any point at which the loss of a codebook is no number, or all of them if a number is missing for good."""
        present = values == values  # noqa: PLR0124  # NaN
        for each in siblings(beside).values():
            present = present & (each == each)  # noqa: PLR0124
        known = _numbers(frozenset(history.names))
        if not known:
            return ~present
        all_there = len(known) == max(known) + 1 - min(known) and known <= _numbers(tuple(beside))
        return ~present if all_there else present | True

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the missing ones."""
        missing = ", ".join(map(str, sorted(_missing(point, history))))
        return f"no loss of codebook {missing} at step {point.step}, since step {since}, though others are logged"


@lru_cache(maxsize=256)  # asked at every point, of the same names
def _numbers(names: Collection[str]) -> frozenset[int]:
    numbers = [name.removeprefix(CODEBOOK) for name in codebooks(names)]
    return frozenset(int(number) for number in numbers if number.isdecimal() and len(number) <= _MOST_DIGITS)


def _missing(point: Point, history: SeriesHistory) -> frozenset[int]:
    return _expected(_numbers(frozenset(history.names))) - _numbers(tuple(point.beside))


@lru_cache(maxsize=256)
def _expected(known: frozenset[int]) -> frozenset[int]:
    gaps = frozenset(range(min(known), max(known) + 1)) - known
    return known | gaps if _FEW * len(gaps) <= len(known) else known
