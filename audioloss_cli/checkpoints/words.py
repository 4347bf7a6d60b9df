"""Phrases of messages about files."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from audioloss_cli.model import printable

_LONGEST = 120  # characters of one name


def listed(names: Iterable[object], most: int = 3) -> str:
    """``a, b, c and 397 more``; what is long is shortened."""
    given = iter(names)
    first = [clipped(name) for name in islice(given, most)]
    more = sum(1 for _ in given)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def clipped(name: object, most: int = _LONGEST) -> str:
    """The name, or its first characters, on one line."""
    text = printable(name.as_posix() if isinstance(name, Path) else str(name))
    return text if len(text) <= most else f"{text[:most]}..."


def counted(number: int, noun: str) -> str:
    """``1 tensor`` or ``2 tensors``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
