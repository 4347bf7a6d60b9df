"""Which parts of a row of a history are metrics: W&B marks histograms, tables, images and audio with a ``_type``."""

from collections.abc import Iterable, Sequence
from typing import Any

_TYPE = "_type"
_DEEPEST = 50


def nested(items: Iterable[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """Return the object in which each value lies under the parts of its name."""
    whole: dict[str, Any] = {}
    for parts, value in items:
        place = whole
        for index, part in enumerate(parts[:-1]):
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # the name of a number, and of what lies below it
                place["/".join(parts[index:])] = value
                break
            place = inner
        else:
            place[parts[-1] if parts else ""] = value
    return whole


def metrics(parsed: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a row without what has a ``_type``, in an object of its own or with dots between the parts of names."""
    typed = tuple(name[: -len(_TYPE)] for name in parsed if name.endswith(f".{_TYPE}"))
    return {
        name: metrics(value, depth + 1) if isinstance(value, dict) and depth < _DEEPEST else value
        for name, value in parsed.items()
        if not (isinstance(value, dict) and _TYPE in value) and not (typed and name.startswith(typed))
    }
