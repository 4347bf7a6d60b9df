"""Import strings, ``pkg.mod:factory``: the only code of a user that runs, and only because the user names it."""

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.probe.errors import UsageError
from audioloss_cli.terminal import words_of


def import_factory(text: str, option: str) -> Callable[..., Any]:
    """The callable that ``pkg.mod:factory`` names; the current directory is searched first, as ``python -m`` does.

    Args:
        text: the import string; the attribute may be dotted.
        option: the option it came with, for the message.

    Raises:
        UsageError: it has another form, there is no such module, no such attribute, or it is no callable.
    """
    module_name, colon, attribute = text.partition(":")
    if not (colon and module_name and attribute):
        raise UsageError(f"{option} {text!r} is no import string; it must look like 'package.module:factory'")
    module = _import(module_name, text, option)
    found: Any = module
    for part in attribute.split("."):
        found = _attribute(found, part, text, option)
    if not callable(found):
        raise UsageError(f"{option} {text!r} is a {type(found).__name__}, which cannot be called")
    return found  # type: ignore[no-any-return]


def call_factory(factory: Callable[..., Any], arguments: Mapping[str, Any], text: str, option: str) -> Any:
    """What the factory gives; whatever it raises is the user's, told in one line.

    Raises:
        UsageError: the factory failed.
    """
    try:
        return factory(**arguments)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{option} {text!r} failed: {_told(error)}") from error


def _import(name: str, text: str, option: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(f"{option} {text!r}: there is no module {name!r} here or among the packages") from error
        raise UsageError(f"{option} {text!r}: importing {name!r} needs {error.name!r}, which is missing") from error
    except (Exception, SystemExit) as error:  # a script that ends in sys.exit() must not end the probe with its code
        raise UsageError(f"{option} {text!r}: importing {name!r} failed: {_told(error)}") from error


def _attribute(found: Any, part: str, text: str, option: str) -> Any:
    """A lazy module may raise anything here."""
    module_name, _, attribute = text.partition(":")
    try:
        return getattr(found, part)
    except AttributeError as error:
        raise UsageError(f"{option} {text!r}: module {module_name!r} has no attribute {attribute!r}") from error
    except Exception as error:
        raise UsageError(f"{option} {text!r}: getting {attribute!r} failed: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """In one line, whatever it says."""
    return f"{type(error).__name__}: {words_of(error)}".removesuffix(": ")
