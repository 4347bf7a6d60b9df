"""Where a run keeps what describes its weights: the configuration, how long it trained, what its trainer drops."""

import json
import pickletools
import re
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.zips import read_stored
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.files import SUFFIXES
from audioloss_cli.probe.model_io.checkpoint.loaded import Request
from audioloss_cli.probe.model_io.checkpoint.zips import check_archive

_CONFIG, _STATE, _ARGUMENTS = "config.json", "trainer_state.json", "training_args.bin"
_OF_A_RUN = re.compile(r"(checkpoint|global_?step|step|epoch|iter|best|last|final)([-_]?\d+)*([-_=.]\w+)*", re.I)
_STEP = re.compile(r"(?:checkpoint|global_?step|step)[-_=]?(\d{1,12})$", re.I)
_REMOVES = "remove_unused_columns"
_NOT_VALUES = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})


def configuration(request: Request) -> Path | None:
    """The configuration of the weights: as named, beside them, or in the run's directory above a ``checkpoint-N``.

    A model inside a wrapper is saved without its configuration: Trainer writes one only where the model that it trains
    is of transformers.

    Raises:
        UnreadableError: the one that is named is not there.
    """
    if request.path.is_file() and request.path.suffix not in SUFFIXES:
        return None
    if request.config_json:
        named = Path(request.config_json)
        named = named / _CONFIG if named.is_dir() else named
        if not named.is_file():
            raise UnreadableError(f"--config-json {named}: no such file; name the config.json of the model")
        return named
    directory = _directory(request.path)
    places = [directory, directory.parent] if _OF_A_RUN.fullmatch(directory.name) else [directory]
    return next((place / _CONFIG for place in places if (place / _CONFIG).is_file()), None)


def note_of(where: Path, request: Request) -> list[str]:
    """A sentence where the configuration does not lie beside the weights."""
    return [] if where.parent == _directory(request.path) else [f"the configuration is {where}"]


def trained_steps(path: Path) -> int | None:
    """Optimiser steps behind the weights, of ``trainer_state.json`` or the directory's name; None if neither says.

    Weights beside checkpoints are those at the end: of several checkpoints the last one counts.
    """
    directory = _directory(path)
    states = [directory / _STATE, *directory.glob(f"checkpoint-*/{_STATE}")]
    steps = [step for state in states if (step := _global_step(state)) is not None]
    named = _STEP.search(directory.name)
    return max(steps, default=int(named[1]) if named else None)


def removes_unused_columns(path: Path) -> bool | None:
    """``remove_unused_columns`` of the ``training_args.bin`` beside the weights or above them; None if none says.

    The file is a pickle of an object: its opcodes are read, and nothing of it is built.
    """
    directory = _directory(path)
    where = next((p for p in (directory, directory.parent) if (p / _ARGUMENTS).is_file()), None)
    if where is None:
        return None
    try:
        with (where / _ARGUMENTS).open("rb") as stream:
            archive = check_archive(stream, where / _ARGUMENTS)
            data = read_stored(stream, archive["data.pkl"])
    except (OSError, KeyError, ValueError, UnreadableError):
        return None
    return _flag(data, _REMOVES)


def _flag(data: bytes, name: str) -> bool | None:
    """The truth value that follows a name in the state of a pickled object."""
    after = False
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if after and opcode.name in ("NEWTRUE", "NEWFALSE"):
                return opcode.name == "NEWTRUE"
            if opcode.name not in _NOT_VALUES:
                after = argument == name
    except (ValueError, IndexError, UnicodeDecodeError):
        return None
    return None


def _global_step(path: Path) -> int | None:
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    step = found.get("global_step") if isinstance(found, dict) else None
    return step if type(step) is int and step >= 0 else None


def _directory(path: Path) -> Path:
    place = path if path.is_dir() else path.parent
    return place.absolute()
