"""How hard the tests try: a part of it each time, all of it in `.ci/run`."""

from typing import Any

import pytest
from hypothesis import settings

SHARE = 4  # of the examples of a property, one in so many is tried each time


def examples(count: int) -> int:
    """Return how many examples hypothesis tries, of ``count`` that it tries with the profile ``random``."""
    return count if settings.get_current_profile_name() == "random" else max(count // SHARE, 2)


def exhaustive(*values: Any) -> list[Any]:
    """Return parameters that are tried with ``-m exhaustive`` or ``-m ''``, beside those that are tried each time."""
    return [pytest.param(value, marks=pytest.mark.exhaustive) for value in values]
