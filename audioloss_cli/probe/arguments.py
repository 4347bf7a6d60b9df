"""Arguments for a factory of the user: ``--data-arg split=train --data-arg size=4``."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from audioloss_cli.probe.errors import UsageError


def parse_arguments(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """Keyword arguments from ``name=value`` pairs; a value is a JSON literal, or else the text as it stands.

    Args:
        pairs: as they came.
        option: the option they came with, for the message.

    Raises:
        UsageError: a pair has no ``=``, its name is no Python name, or it comes twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (equals and name.isidentifier()):
            raise UsageError(f"{option} {pair!r} must look like name=value, with a name that Python allows")
        if name in found:
            raise UsageError(f"{option} {name}=... is given twice; give it once")
        found[name] = _value(text)
    return found


def _value(text: str) -> Any:
    """RecursionError: brackets nested too deep for the parser."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> NoReturn:
    """JSON has no NaN and no Infinity, though Python's parser knows them."""
    raise ValueError(constant)
