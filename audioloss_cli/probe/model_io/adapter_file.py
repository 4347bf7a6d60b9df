"""A file that says what a project's batches and outputs look like, so that it is written down once.

TOML with tables for codes, labels, logits, loss and vocabulary; each entry is an option of the adapter.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.probe.errors import UnreadableError, UsageError

# table -> entry -> the field of ``Options`` that it sets, and its type
_ENTRIES: dict[str, dict[str, tuple[str, type]]] = {
    "codes": {"key": ("codes_key", str), "axes": ("codes_layout", str), "first": ("codes_first", int)},
    "labels": {
        "key": ("labels_key", str),
        "axes": ("labels_layout", str),
        "first": ("labels_first", int),
        "shift": ("shift", int),
        "ignore": ("ignore_index", int),
    },
    "logits": {"key": ("logits_key", str), "axes": ("logits_layout", str), "prefix": ("logits_prefix", int)},
    "loss": {"key": ("loss_key", str)},
    "vocabulary": {
        "codebooks": ("num_codebooks", int),
        "ids": ("vocab_size", int),
        "first_id": ("first_id", int),
        "bos": ("bos", int),
        "eos": ("eos", int),
        "pad": ("pad", int),
        "delayed": ("delayed", bool),
    },
}
_WORDS = {str: "a text", int: "a whole number", bool: "true or false"}


def read_adapter_file(path: Path) -> tuple[str, dict[str, Any]]:
    """Name of the adapter, empty if the file names none, and fields of ``Options``.

    Raises:
        UnreadableError: the file is not there, or is no TOML.
        UsageError: it holds an entry that means nothing, or a value of another type; the message names it.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableError(f"--adapter-file {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"--adapter-file {path} is no TOML: {' '.join(str(error).split())[:200]}") from error
    name = found.pop("adapter", "")
    if not isinstance(name, str):
        raise UsageError(f"--adapter-file {path}: adapter must be a text, the name of one")
    return name, dict(_options(found, path))


def _options(found: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
    for table, entries in found.items():
        known = _ENTRIES.get(table)
        if known is None or not isinstance(entries, Mapping):
            raise UsageError(
                f'--adapter-file {path}: [{table[:80]}] is no table of it; there are adapter = "..." and '
                f"{', '.join(f'[{name}]' for name in _ENTRIES)}"
            )
        for entry, value in entries.items():
            if entry not in known:
                raise UsageError(
                    f"--adapter-file {path}: {entry[:80]!r} is no entry of [{table}]; there are {', '.join(known)}"
                )
            option, kind = known[entry]
            if type(value) is not kind:
                raise UsageError(f"--adapter-file {path}: [{table}] {entry} must be {_WORDS[kind]}")
            yield option, value
