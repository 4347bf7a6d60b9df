"""Whether what came out of a JSON document has the types that whoever wrote it would have given it."""

from typing import Any, NamedTuple

INT64 = range(-(1 << 63), 1 << 63)
COUNT = range(1 << 62)  # as much again can be added, and it still fits into int64


class Either(NamedTuple):
    """One of two shapes."""

    one: Any
    other: Any


class Names(NamedTuple):
    """An object with any keys, all of whose values have one shape."""

    values: Any


def has_shape(value: object, shape: Any) -> bool:
    """Tell whether a value has a shape.

    Args:
        value: what ``json.loads`` gave.
        shape: a type, which has to be the value's own (True is no int); None for itself; a range for an int in it; a
            frozenset for a string in it; a list of one shape for a list of any length; a tuple of shapes for a list of
            as many items; a dict for an object with these keys and no others; ``Names``; ``Either``.
    """
    if isinstance(shape, Either):
        return has_shape(value, shape.one) or has_shape(value, shape.other)
    if isinstance(shape, Names | dict):
        return isinstance(value, dict) and _object_has(value, shape)
    if isinstance(shape, list | tuple):
        return isinstance(value, list) and _list_has(value, shape)
    if isinstance(shape, range | frozenset):
        return type(value) is (int if isinstance(shape, range) else str) and value in shape
    return value is None if shape is None else type(value) is shape


def _object_has(value: dict[str, Any], shape: Names | dict[str, Any]) -> bool:
    if isinstance(shape, Names):
        return all(has_shape(each, shape.values) for each in value.values())
    return value.keys() == shape.keys() and all(has_shape(value[key], each) for key, each in shape.items())


def _list_has(value: list[Any], shape: list[Any] | tuple[Any, ...]) -> bool:
    if isinstance(shape, list):
        return all(has_shape(each, shape[0]) for each in value)
    return len(value) == len(shape) and all(map(has_shape, value, shape))
