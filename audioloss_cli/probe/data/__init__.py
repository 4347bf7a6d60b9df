"""Where batches come from: each kind of ``--data`` is one file.

A kind has ``PRECEDENCE`` (the lowest is asked first), ``TAKES_ARGUMENTS`` (whether --data-arg means anything to it),
``claims(what) -> bool`` and ``read(what, arguments, count) -> BatchSource``.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import Any

from audioloss_cli import registry
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.errors import UnreadableError, UsageError

__all__ = ["BatchSource", "open_data", "open_whole"]

_FOLDER = "probe.data"


def open_data(what: str, *, arguments: Mapping[str, Any] = MappingProxyType({}), count: int = 1) -> BatchSource:
    """At most ``count`` batches of what ``--data`` names.

    Args:
        what: an import string, a file, a directory of files, or a directory that ``datasets`` saved.
        arguments: for the factory of an import string.
        count: at least 1.

    Raises:
        UsageError: ``what`` or ``arguments`` make no sense, or the factory failed.
        UnreadableError: there is no such file, it is damaged, or there is no batch in it.
        EnvironmentalError: it takes a package that is not installed.
    """
    source = open_whole(what, arguments, count)
    notes = [*source.notes, *source.first_notes]
    if len(source.batches) < count:
        notes.append(f"{count} batches were asked for, {len(source.batches)} found.")
    return replace(source, notes=notes)


def open_whole(what: str, arguments: Mapping[str, Any], count: int) -> BatchSource:
    """The same, of data that is to be gone through by ``whole``: its first ``count`` batches may be all that there are.

    Raises:
        UsageError, UnreadableError, EnvironmentalError: see ``open_data``.
    """
    kind = _kind_of(what)
    if arguments and not kind.TAKES_ARGUMENTS:
        raise UsageError(f"--data-arg needs an import string; --data {what!r} is none and takes no arguments")
    source: BatchSource = kind.read(what, arguments, count)
    if not source.batches:
        raise UnreadableError(f"--data {what!r} gives no batch; name one that holds at least one")
    return source


def _kind_of(what: str) -> ModuleType:
    kinds = [registry.load(_FOLDER, name) for name in registry.names(_FOLDER)]
    for kind in sorted(kinds, key=lambda module: int(module.PRECEDENCE)):
        if _claims(kind, what):
            return kind
    raise UnreadableError(
        f"--data {what!r}: there is no such file; an import string has the form 'package.module:factory'"
    )


def _claims(kind: ModuleType, what: str) -> bool:
    try:
        return bool(kind.claims(what))
    except OSError as error:
        raise UnreadableError(f"--data {what!r} cannot be reached ({error.strerror}); name another path") from error
