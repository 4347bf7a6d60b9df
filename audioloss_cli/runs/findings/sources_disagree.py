"""Two sources of one run contradict each other.

What: Two files of one run hold a series of the same name, and at a tenth of their common steps or more the values
differ by more than the less precise one was rounded by. Both are audited.

Why: One of them is left over from another launch in the same directory, or something wrote a number that is not the one
that was trained: a mean over other ranks, a smoothed curve, a value before scaling.

Fix: Find out which of the two files the trainer wrote, and move the other one out of the run directory. If both are
right, they hold different quantities: give them different names.
"""

import math

from audioloss_cli.model import Finding, Series, Severity

CODE = "sources-disagree"


def finding(first: str, series: Series, second: str, other: Series, differing: int, common: int) -> Finding:
    """Return the finding, with the step at which the two differ most.

    Args:
        first: a source, in words.
        series: the series there.
        second: the other source.
        other: the series of the same name there.
        differing: number of common steps at which the values differ.
        common: number of common steps.
    """
    there = dict(zip(map(int, series.steps), map(float, series.values), strict=True))
    pairs = [
        (step, there[step], float(value))
        for step, value in zip(map(int, other.steps), other.values, strict=True)
        if step in there
    ]
    step, one, two = max(pairs, key=_distance)
    return Finding(
        CODE,
        Severity.WARNING,
        f"{series.tag} of {first} and {other.tag} of {second} differ at {differing:,} of {common:,} common "
        f"steps, such as {one:.4g} and {two:.4g} at step {step:,}; both were audited",
        {"sources": [first, second], "tags": [series.tag, other.tag], "step": step, "values": [one, two]},
        "Find out which of the two files the trainer wrote, and move the other one out of the run directory.",
    )


def _distance(pair: tuple[int, float, float]) -> float:
    _, one, two = pair
    return abs(one - two) if math.isfinite(one) and math.isfinite(two) else -1.0
