"""A directory of files with batches, in sorted order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.probe.data._formats import ACCEPTED, SUFFIXES, read_batches
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.errors import UnreadableError

PRECEDENCE = 1
TAKES_ARGUMENTS = False


def claims(what: str) -> bool:
    """Any directory."""
    return Path(what).is_dir()


def read(what: str, arguments: Mapping[str, Any], count: int) -> BatchSource:
    """Batches of its files until there are ``count``; hidden files and subdirectories are left alone.

    Raises:
        UnreadableError: it holds no such file, cannot be listed, or see ``read_batches``.
        EnvironmentalError: see ``read_batches``.
    """
    paths = _files(what)
    batches: list[dict[str, Any]] = []
    for path in paths:
        batches += read_batches(path)
        if len(batches) >= count:
            break
    kind = f"directory of {len(paths)} batch files"
    return BatchSource(
        batches[:count], kind, [], whole=lambda: (batch for path in paths for batch in read_batches(path))
    )


def _files(what: str) -> list[Path]:
    try:
        entries = sorted(Path(what).iterdir())
    except OSError as error:
        raise UnreadableError(f"--data {what!r} cannot be listed: {error.strerror}") from error
    paths = [path for path in entries if path.suffix in SUFFIXES and path.name[0] != "." and path.is_file()]
    if not paths:
        raise UnreadableError(f"--data {what!r}: no batch in this directory; {ACCEPTED}")
    return paths
