"""Public names that are imported when they are first used, so that a caller pays only for what it takes."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Args:
        package: its name.
        homes: public name -> the module below the package that holds it.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        vars(importlib.import_module(package))[name] = found  # so that nobody has to ask again
        return found

    def listed() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *homes})

    return find, listed
