"""Plugins by name: a plugin's file name is its name, and this is the only import by name in the house."""

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

#: Rooms whose packages come with an extra of the same name -> what needs it.
_EXTRAS = {"probe": "probe", "training": "a guarded training"}


class UnknownPluginError(ValueError):
    """There is no plugin of that name; the message names those that there are."""


class MissingDependencyError(RuntimeError):
    """A plugin needs a package that is not installed; the message says how to install it."""


@cache
def names(folder: str) -> tuple[str, ...]:
    """Names of the plugins in ``audioloss_cli/<folder>``, sorted, found without importing any of them.

    Args:
        folder: dotted below the package, such as ``readers`` or ``probe.checks``.
    """
    where = Path(__file__).parent.joinpath(*folder.split("."))
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules([str(where)]) if not module.name.startswith("_"))
    )


def code_of(name: str) -> str:
    """The stable code of a rule or a check: its file name, with hyphens."""
    return name.replace("_", "-")


def docstring(folder: str, name: str) -> str:
    """The documentation of a plugin, read from its file: neither is it imported, nor does ``python -OO`` strip it.

    Raises:
        UnknownPluginError: there is no plugin of that name.
    """
    if name not in names(folder):
        raise UnknownPluginError(f"{name!r} is not one of {', '.join(names(folder))}")
    file = Path(__file__).parent.joinpath(*folder.split("."), name)
    source = file.with_suffix(".py") if file.with_suffix(".py").is_file() else file / "__init__.py"
    return ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""


def load(folder: str, name: str) -> ModuleType:
    """Import the one plugin that is needed.

    Raises:
        UnknownPluginError: there is no plugin of that name.
        MissingDependencyError: it needs a package that is not installed.
    """
    if name not in names(folder):
        raise UnknownPluginError(f"{name!r} is not one of {', '.join(names(folder))}")
    try:
        return importlib.import_module(f"audioloss_cli.{folder}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("audioloss_cli"):
            raise
        raise MissingDependencyError(_complaint(folder, name, error)) from error


def _complaint(folder: str, name: str, error: ModuleNotFoundError) -> str:
    """What lacks, and the command that brings it: of a wing the extra, for it lacks more than the one package."""
    from audioloss_cli import installation  # noqa: PLC0415  # its imports cost 10 ms, and this is the last message

    room = folder.split(".", maxsplit=1)[0]
    if room in _EXTRAS:
        return f"{_EXTRAS[room]} needs the extra {room!r}, which is not installed: {installation.command(room)}"
    return f"{folder} {name!r} needs the package {error.name!r}, which is not installed: {installation.command()}"
