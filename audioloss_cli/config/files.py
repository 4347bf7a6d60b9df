"""The configuration file: where it lies, what it says, and what the command line says above it."""

import codecs
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from audioloss_cli.config.errors import ConfigError
from audioloss_cli.config.overrides import without
from audioloss_cli.config.scan_config import FIELDS, KEYS, SETTINGS, ScanConfig
from audioloss_cli.model.limits import SettingError

FILE_NAME, SHARED_FILE_NAME = "audioloss.toml", "pyproject.toml"
TRAINING = "training"  # the table of the live wing


def find_config(start: Path) -> Path | None:
    """The nearest ``audioloss.toml`` or ``pyproject.toml`` with ``[tool.audioloss]``, in a directory or above it.

    The search goes up to the root of a git checkout, and nowhere outside one: no stranger's file loosens a gate.
    """
    above = [start, *start.parents]
    root = next((directory for directory in above if (directory / ".git").exists()), start)
    for directory in above[: above.index(root) + 1]:
        own, shared = directory / FILE_NAME, directory / SHARED_FILE_NAME
        if own.is_file():
            return own
        if shared.is_file() and _may_name_us(shared) and _own_table(shared) is not None:
            return shared
    return None


def _may_name_us(shared: Path) -> bool:
    """Whether it is worth parsing, which takes 7 ms: a table, key or header may be ours, or is spelt in escapes."""
    try:
        content = shared.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shared}: {error.strerror}") from None
    ours = rb"""^[ \t]*\[{0,2}[ \t]*["']?tool["']?[ \t]*(?:\.[ \t]*["']?audioloss|\]|=)|\\[uU]"""
    strange = content.startswith(codecs.BOM_UTF8) or b"\0" in content  # nor is it TOML, which whoever parses it says
    return strange or re.search(ours, content, re.MULTILINE) is not None


def read_config(path: Path) -> dict[str, Any]:
    """The fields of ``ScanConfig`` that a configuration file sets; files that it names are seen from where it lies.

    Raises:
        ConfigError: the file cannot be read, is no TOML, holds no table of ours, or a key that is not known.
    """
    table = _own_table(path)
    if table is None:
        raise ConfigError(f"{path}: there is no [tool.audioloss] in it")
    _training_table(path, table)
    table.pop(TRAINING, None)
    refuse_unknown(path, table, [*FIELDS, TRAINING])
    for setting in SETTINGS.values():
        if setting.is_place and isinstance(table.get(setting.key), str) and table[setting.key]:
            table[setting.key] = str(path.parent / table[setting.key])
    return {FIELDS[key]: value for key, value in table.items()}


def read_training(path: Path) -> dict[str, Any]:
    """The table ``[training]`` of a configuration file: what a guard is given; empty if there is none.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or holds something else of that name.
    """
    return _training_table(path, _own_table(path) or {})


def _training_table(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    found = table.get(TRAINING, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {TRAINING} must be a table, not {found!r}")
    return dict(found)


def refuse_unknown(where: Path | str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Name the first key that there is not, and what it may have been meant for.

    Raises:
        ConfigError: there is one.
    """
    known = list(known)
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}")


def make_config(
    path: Path | None,
    options: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> ScanConfig:
    """A configuration from a file and what the environment and the command line say; see ``in_force``.

    Raises:
        ConfigError: see ``in_force``.
    """
    return in_force(path, options, defaults, places)[0]


def in_force(
    path: Path | None,
    options: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> tuple[ScanConfig, dict[str, str]]:
    """A configuration from a file and what the environment and the command line say, which win.

    Args:
        path: the file, if there is one.
        options: fields of ``ScanConfig``. All losses and certain tags exclude each other: either replaces the other.
            What is given here also beats the overrides of the file.
        defaults: fields whose default is another one here.
        places: where each of the options comes from: ``--window``, ``AUDIOLOSS_WINDOW``.

    Returns:
        The configuration, and where each field that is set comes from, in words.

    Raises:
        ConfigError: see ``read_config``; or a value that makes no sense.
    """
    from_file = read_config(path) if path is not None else {}
    if "tags" in options or options.get("all_losses"):
        from_file = {name: value for name, value in from_file.items() if name not in ("tags", "all_losses")}
    try:
        if "overrides" in from_file:
            from_file["overrides"] = without(options, from_file["overrides"])
        origins = {
            **dict.fromkeys(from_file, str(path)),
            **{name: place_of(name, path, options, places) for name in options},
        }
        return ScanConfig(**{**(defaults or {}), **from_file, **options}), origins
    except SettingError as error:
        raise ConfigError(f"{place_of(error.field, path, options, places)} {error.complaint}") from None


def place_of(field: str, path: Path | None, options: Mapping[str, Any], places: Mapping[str, str] | None = None) -> str:
    """Where the value of a field comes from, for a message: an option, a variable, or a key of the file."""
    if field in options or path is None:
        return (places or {}).get(field, f"--{KEYS[field]}")
    return f"{path}: {KEYS[field]}"


def _own_table(path: Path) -> dict[str, Any] | None:
    """What the file says to us; None if it is a pyproject.toml that says nothing."""
    document = read_toml(path)
    if path.name != SHARED_FILE_NAME:
        return document
    tool = document.get("tool")
    table = tool.get("audioloss") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.audioloss must be a table, not {table!r}")
    return table


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML document.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    import tomllib  # noqa: PLC0415  # most scans have no configuration file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
