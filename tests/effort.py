"""How hard the tests try: a part of it each time, all of it in `.ci/run`."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from hypothesis import settings

SHARE = 8  # of the examples of a property, one in so many is tried each time


def examples(count: int) -> int:
    """Return how many examples hypothesis tries, of ``count`` that it tries with the profile ``random``."""
    return count if settings.get_current_profile_name() == "random" else max(count // SHARE, 2)


def exhaustive(*values: Any) -> list[Any]:
    """Return values of one parameter that are tried with ``-m exhaustive`` or ``-m ''``, but not each time."""
    return [pytest.param(value, marks=pytest.mark.exhaustive) for value in values]


def one_in(count: int, values: Iterable[Any]) -> list[Any]:
    """Return the values of one parameter; the first of each ``count`` is tried each time, the others are exhaustive."""
    each = enumerate(values)
    return [pytest.param(value, marks=pytest.mark.exhaustive if at % count else ()) for at, value in each]


def rows(every: Iterable[tuple[Any, ...]], each_time: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return values of several parameters; those that are not ``each_time`` are exhaustive."""
    every, each_time = list(every), list(each_time)
    assert all(row in every for row in each_time)
    return [pytest.param(*row, marks=() if row in each_time else pytest.mark.exhaustive) for row in every]


def combinations(*axes: Iterable[Any], each_time: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return all combinations of the values of several parameters, as ``rows`` does."""
    return rows(product(*axes), each_time)
