"""What stands in each place of the rows of one kind, as far as the typed decoder can hold a row to it."""

import math
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import Any, NamedTuple

from audioloss_cli.readers._rows.numbers import EARLIEST, MICROSECONDS, MILLISECONDS, WALL_TIME_KEYS, number, seconds

_DEEPEST, _LONGEST_LIST, _LONGEST_KEY = 8, 64, 256  # what is larger is left to the specification
# Up to here a whole number is the same as int and as float64, as which the specification reads it.
EXACT = 1 << 53
IN_SECONDS = (EARLIEST, MILLISECONDS)
_UNITS = (-math.inf, *IN_SECONDS, MICROSECONDS, math.inf)


class Kind(Enum):
    """What a value is, and what any other value in its place must be."""

    NUMBER = "a number"
    WHOLE = "a whole number, as the step"
    SPELLED = "text that spells a number"
    TEXT = "text that spells none"
    BOOL = "true or false"
    NULL = "null"


class Clock(Enum):
    """What a place says of the wall time of its row."""

    SILENT = "it is not looked at"
    NO_DATE = "it is looked at, and is no date"
    DATE = "it is the wall time"


class Leaf(NamedTuple):
    """One place in a row that is neither an object nor a list.

    Attributes:
        name: the key of its series, as ``numbers.flatten`` makes it.
        kind: what stands there.
        clock: what it says of the wall time.
        bounds: of a number that is looked at for the wall time: at least, and below; in between, the unit is the same.
    """

    name: str
    kind: Kind
    clock: Clock = Clock.SILENT
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @property
    def is_blank(self) -> bool:
        """Whether it holds no number."""
        return self.kind in (Kind.TEXT, Kind.BOOL, Kind.NULL)


Tree = Leaf | dict[str, "Tree"] | list["Tree"]


class UnfitError(Exception):
    """The row is none that the typed decoder can hold others to."""


def describe(parsed: dict[str, Any], step_key: str | None) -> dict[str, Tree]:
    """Return every place of a row, in the nesting of the row.

    Raises:
        UnfitError: it holds something that no typed decoder accepts, or that the specification reads in another way.
    """
    tree = {key: _describe(value, key, step_key, 0) for key, value in parsed.items()}
    for key in WALL_TIME_KEYS:
        leaf = tree.get(key)
        if not isinstance(leaf, Leaf):
            continue
        tree[key] = leaf = _with_clock(leaf, parsed[key])
        if leaf.clock is Clock.DATE:
            break
    names = [leaf.name for leaf in leaves(tree)]
    if not names or len(set(names)) < len(names):
        raise UnfitError("a key comes twice, once flat and once nested")
    return tree


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All of them, in order."""
    if isinstance(tree, Leaf):
        yield tree
        return
    for branch in tree.values() if isinstance(tree, dict) else tree:
        yield from leaves(branch)


def _describe(value: Any, name: str, step_key: str | None, depth: int) -> Tree:
    if len(name) > _LONGEST_KEY:
        raise UnfitError("a key is very long")
    if not isinstance(value, (dict, list)):
        return Leaf(name, _kind(value, is_step=name == step_key))
    if not value or depth >= _DEEPEST or (isinstance(value, list) and len(value) > _LONGEST_LIST):
        raise UnfitError("an object or a list is empty or too large")
    if isinstance(value, list):
        return [_describe(item, f"{name}/{index}", step_key, depth + 1) for index, item in enumerate(value)]
    return {key: _describe(item, f"{name}/{key}", step_key, depth + 1) for key, item in value.items()}


def _kind(value: Any, *, is_step: bool) -> Kind:
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.BOOL
    found = number(value)
    if isinstance(value, str):
        return Kind.TEXT if found is None else Kind.SPELLED
    if found is None or not math.isfinite(found):
        raise UnfitError("the number is a NaN or Infinity literal, or too large")
    if not is_step or isinstance(value, float):
        return Kind.NUMBER
    if abs(value) > EXACT:
        raise UnfitError("the step is too large")
    return Kind.WHOLE


def _with_clock(leaf: Leaf, value: Any) -> Leaf:
    if leaf.kind in (Kind.NULL, Kind.BOOL):
        return leaf
    clock = Clock.NO_DATE if seconds(value) is None else Clock.DATE
    if leaf.kind is not Kind.NUMBER:
        return leaf._replace(clock=clock)
    return leaf._replace(clock=clock, bounds=next(each for each in pairwise(_UNITS) if each[0] <= value < each[1]))
