"""The median; the standard library's comes with fractions, decimals and random numbers, 5 ms of imports."""

from collections.abc import Iterable


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two; there is at least one value.

    Halves are added, because a sum may lie beyond float64.
    """
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else low / 2 + high / 2
