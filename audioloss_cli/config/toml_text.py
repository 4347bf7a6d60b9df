"""Values as they stand in a TOML file."""

import json
from collections.abc import Mapping
from typing import Any


def value_of(value: Any) -> str:
    """A text, number, switch, date, list or table, in one line."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(value_of, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{text_of(key)} = {value_of(each)}' for key, each in value.items())}}}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (int, float)) else str(value)


def text_of(value: str) -> str:
    """A basic string of TOML: as in JSON, but that DEL is escaped, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
