"""What ``wandb.log`` and ``trackio.log`` leave in JSON: numbers, and media that carry a ``_type``."""

import json
from typing import Any

import msgspec

LONGEST_NAME = 1 << 12  # bytes of a name that is one
LONGEST_VALUE = 1 << 20  # bytes of a JSON text that is parsed
_MOST_DIGITS = 4000  # Python refuses to read a whole number of more than 4300
_TYPE = "_type"
_DEEPEST = 50
_decode = msgspec.json.Decoder().decode


def value_of(text: bytes | str) -> Any:
    """Return what a JSON text says; None where it is none, is longer than 1 MiB, or says null.

    NaN, Infinity and -Infinity are numbers; a whole number of very many digits is infinite, as in every float64.
    """
    if len(text) > LONGEST_VALUE:
        return None
    try:
        return _decode(text)
    except (ValueError, RecursionError):  # msgspec.DecodeError is a ValueError: most of all, NaN is no JSON
        pass
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def metrics(parsed: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a row without its media: objects with a ``_type``, also where dots stand between the parts of names."""
    if not any(isinstance(value, dict) or name.endswith(_TYPE) for name, value in parsed.items()):
        return parsed
    typed = tuple(name[: -len(_TYPE)] for name in parsed if name.endswith(f".{_TYPE}"))
    return {
        name: metrics(value, depth + 1) if isinstance(value, dict) and depth < _DEEPEST else value
        for name, value in parsed.items()
        if not (isinstance(value, dict) and _TYPE in value) and not (typed and name.startswith(typed))
    }
