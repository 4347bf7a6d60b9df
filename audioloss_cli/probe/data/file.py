"""One file with a batch, or several: .pt, .pth, .safetensors, .npz."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.probe.data._formats import ACCEPTED, SUFFIXES, read_batches
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.errors import UnreadableError

PRECEDENCE = 1
TAKES_ARGUMENTS = False


def claims(what: str) -> bool:
    """Any file: one of another suffix is told which are accepted."""
    path = Path(what)
    return path.exists() and not path.is_dir()


def read(what: str, arguments: Mapping[str, Any], count: int) -> BatchSource:
    """Its first ``count`` batches.

    Raises:
        UnreadableError: see ``read_batches``; or it has another suffix.
        EnvironmentalError: see ``read_batches``.
    """
    path = Path(what)
    if path.suffix not in SUFFIXES:
        raise UnreadableError(f"--data {what!r}: {ACCEPTED}, or name a factory: 'package.module:factory'")
    batches = read_batches(path)
    return BatchSource(batches[:count], f"{path.suffix} file", [], whole=lambda: iter(batches), total=len(batches))
