"""Phrases that several checks share; a private module is no plugin."""

from collections.abc import Iterable, Sequence

_LISTED = 6


def listed(items: Iterable[object], most: int = _LISTED) -> str:
    """``a, b and 3 more``."""
    names = [str(item) for item in items]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(count: int, one: str, many: str = "") -> str:
    """``1 weight``, ``2 weights``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def place_of(index: int, shape: Sequence[int]) -> str:
    """``[3, 4]``, of a flat index."""
    places = list[int]()
    for size in reversed(shape):
        index, place = divmod(index, max(size, 1))
        places.append(place)
    return str(places[::-1])
