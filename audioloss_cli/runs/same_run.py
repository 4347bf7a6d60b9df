"""Whether two sources are of one run: their numbers say so, whatever the files are called.

Two series are the same if they have the same steps and, at those, values that are equal to the precision of the less
precise one. A source without steps (a console that prints none) is held against another one by the order of its values.
"""

import math
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from audioloss_cli.model import Series
from audioloss_cli.naming.tag_words import is_held_out, words

_ENOUGH = 4096  # points that tell whether two series are the same
_LEAST_POINTS, _LEAST_SHARE = 3, 0.9
_LEAST_DIFFERENT = 3  # values: two series that are constant say nothing
_CONTRADICTS = 5  # common points from which on two series of one name contradict each other
_MOST_SKIPPED = 64  # values of the one that the other may lack in between
_MOST_TAGS = 64  # of one source that are compared with all of another
_FLOAT32 = 6e-8
_DIGITS = 17

_TELLING = re.compile(r"\b(?:loss|losses|ce|nll|norm|gnorm|perplexity|ppl|accuracy|acc)\b")
_PREFIX = frozenset(("train", "training", "metrics", "scalars", "log", "logs", "trainer"))


@dataclass(slots=True)
class Unit:
    """The series of one run in one source.

    Attributes:
        name: of the run there, as the user would type it.
        label: format and file, in words.
        order: of its reader: of two sources that are equally precise the one with the lower number comes first.
        series: by tag.
        digits: most significant digits among its values.
    """

    name: str
    label: str
    order: int
    series: dict[str, Series]
    digits: int = 0
    by_name: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tag, series in self.series.items():
            if len(series):
                self.by_name.setdefault(plain_name(tag), []).append(tag)
        telling = [series for tag, series in self.series.items() if is_telling(tag)]
        self.digits = max((Precision.of(series.values).digits for series in telling[:_MOST_TAGS]), default=0)


class Precision(NamedTuple):
    """Significant digits and decimals of the values of a series, at the most."""

    digits: int
    decimals: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Precision":
        """Judge by an even choice of the values."""
        stride = 1 + len(values) // 200
        spelled = [_spelled(float(value)) for value in values[::stride] if math.isfinite(value)]
        return cls(
            max((digits for digits, _ in spelled), default=0), max((decimals for _, decimals in spelled), default=0)
        )

    def tolerance(self, value: float) -> float:
        """Return by how much a rounded value may differ from the one that was rounded, and a rounding of float32."""
        size = abs(value)
        exponent = math.floor(math.log10(size)) if size else 0
        rounding = 0.0
        if self.digits < _DIGITS - 2:
            rounding = 0.5 * max(10.0**-self.decimals, 10.0 ** (exponent - self.digits + 1) if size else 0.0)
        return rounding * 1.001 + _FLOAT32 * size


def _spelled(value: float) -> tuple[int, int]:
    exponent = int(f"{value:.16e}".partition("e")[2])
    shortest = repr(value).lower().partition("e")[0].replace(".", "").replace("-", "").strip("0")
    digits = max(len(shortest), 1)
    return digits, max(digits - 1 - exponent, 0)


class Agreement(NamedTuple):
    """How two series compare: at how many steps both have a value, and at how many of those it is the same."""

    common: int
    same: int
    different_values: int

    @property
    def is_same(self) -> bool:
        """Whether the two are one series."""
        enough = self.same >= _LEAST_POINTS and self.different_values >= _LEAST_DIFFERENT
        return enough and self.same >= _LEAST_SHARE * self.common

    @property
    def contradicts(self) -> bool:
        """Whether they cannot both be right."""
        return self.common >= _CONTRADICTS and self.same < _LEAST_SHARE * self.common


def is_telling(tag: str) -> bool:
    """Whether the values of a series tell one run from another: a learning rate and an epoch do not."""
    return _TELLING.search(words(tag)) is not None


def plain_name(tag: str) -> str:
    """Return the words of a tag without a prefix that says no more than that it was logged in training."""
    parts = words(tag).split()
    while len(parts) > 1 and parts[0] in _PREFIX:
        parts = parts[1:]
    return " ".join(parts)


def compare(one: Series, other: Series) -> Agreement:
    """Compare two series step by step; a step that one has twice is compared turn by turn."""
    precision = min(Precision.of(one.values), Precision.of(other.values), key=lambda each: each.digits)
    there: dict[int, list[float]] = {}
    for step, value in _choice(other):
        there.setdefault(step, []).append(value)
    common = same = 0
    values = set[float]()
    turns: dict[int, int] = {}
    for step, value in _choice(one):
        found = there.get(step)
        if found is None:
            continue
        turn = turns.get(step, 0)
        turns[step] = turn + 1
        common += 1
        if equal(value, found[min(turn, len(found) - 1)], precision):
            same += 1
            values.add(value)
    return Agreement(common, same, len(values))


def equal(one: float, other: float, precision: Precision) -> bool:
    """Tell whether two values are the same to this precision; NaN is the same as NaN."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    return abs(one - other) <= precision.tolerance(max(abs(one), abs(other)))


def _choice(series: Series) -> Iterator[tuple[int, float]]:
    """Yield the points; of very many those whose steps both of two logs would choose, and none by its place."""
    if len(series) <= _ENOUGH:
        yield from zip(map(int, series.steps), map(float, series.values), strict=True)
        return
    steps = list(map(int, series.steps[: _ENOUGH // 2])) + list(map(int, series.steps[-(_ENOUGH // 2) :]))
    values = list(map(float, series.values[: _ENOUGH // 2])) + list(map(float, series.values[-(_ENOUGH // 2) :]))
    yield from zip(steps, values, strict=True)


def has_steps(series: Series) -> bool:
    """Tell whether its steps are those of the training."""
    return series.step_source == "step"


def in_steps_of(unit: Unit, others: Mapping[str, Series]) -> Unit | None:
    """Return a unit in the steps of another one, if the order of its values fits; else None.

    So a console without steps is held against an event file, and a tracker that counts calls in the place of steps.

    Args:
        unit: a unit whose steps are not those of the others.
        others: series with steps of the training.
    """
    for tag, series in unit.series.items():
        if not is_telling(tag) or not len(series):
            continue
        for name, other in others.items():
            if plain_name(name) != plain_name(tag) or not has_steps(other) or not len(other):
                continue
            pairs = _in_order(series, other)
            if pairs is not None:
                return _moved(unit, pairs)
    return None


def _in_order(series: Series, other: Series) -> list[tuple[int, int]] | None:
    """Return pairs of a step of ``series`` and one of ``other`` where the values agree in order; None if too few do."""
    precision = min(Precision.of(series.values), Precision.of(other.values), key=lambda each: each.digits)
    values, place, pairs, distinct = list(map(float, other.values)), 0, list[tuple[int, int]](), set[float]()
    for step, value in zip(map(int, series.steps), map(float, series.values), strict=True):
        span = range(place, min(place + 1 + _MOST_SKIPPED, len(values)))
        hit = next((index for index in span if equal(value, values[index], precision)), None)
        if hit is not None:
            pairs.append((step, int(other.steps[hit])))
            distinct.add(value)
            place = hit + 1
    enough = len(pairs) >= _LEAST_POINTS and len(distinct) >= _LEAST_DIFFERENT
    return pairs if enough and len(pairs) >= _LEAST_SHARE * min(len(series), len(other)) else None


def _moved(unit: Unit, pairs: Sequence[tuple[int, int]]) -> Unit:
    """Return a unit with each point at the step of the last pair at or before it."""
    keys = [before for before, _ in pairs]
    stride = max((pairs[-1][1] - pairs[0][1]) // max(len(pairs) - 1, 1), 1)

    def step_of(step: int) -> int:
        index = bisect_right(keys, step) - 1
        if index < 0:
            return max(pairs[0][1] - stride, 0)
        if index == len(keys) - 1 and step > keys[-1]:
            width = max((keys[-1] - keys[0]) // max(len(keys) - 1, 1), 1)
            return pairs[-1][1] + stride * ((step - keys[-1]) // width)
        return pairs[index][1]

    moved = {
        tag: replace(series, steps=array("q", (step_of(int(step)) for step in series.steps)), step_source="step")
        for tag, series in unit.series.items()
    }
    return Unit(unit.name, unit.label, unit.order, moved)


def related(one: Unit, other: Unit) -> bool:
    """Tell whether a telling series of the one is a series of the other, held-out ones among themselves."""
    return any(compare(one.series[tag], other.series[name]).is_same for tag, name in _pairs(one, other))


def _pairs(one: Unit, other: Unit) -> Iterator[tuple[str, str]]:
    """Yield tags that may name one series: of the same plain name first, then any telling ones of few."""
    for name, tags in one.by_name.items():
        for tag in tags[:2]:
            if is_telling(tag):
                yield from ((tag, found) for found in other.by_name.get(name, ())[:2])
    mine, theirs = ([tag for tag in unit.series if is_telling(tag)] for unit in (one, other))
    if len(mine) * len(theirs) <= _MOST_TAGS:
        for tag in mine:
            for name in theirs:
                if plain_name(tag) != plain_name(name) and is_held_out(tag) == is_held_out(name):
                    yield tag, name
