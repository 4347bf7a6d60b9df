"""Directories of DeepSpeed: global_stepN with states of the model and of each rank's optimizer, beside ``latest``."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._opener import UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_name
from audioloss_cli.checkpoints.layouts._zero import LATEST, read_zero, tag_of, zero_directory
from audioloss_cli.checkpoints.stored import Checkpoint
from audioloss_cli.checkpoints.words import clipped
from audioloss_cli.model import Severity

ORDER = 25


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the names of states, here or in the one directory of a step; several steps are a checkpoint each."""
    return zero_directory(path, names) is not None


def read(path: Path) -> Checkpoint:
    """Read the headers of all ranks."""
    opener = Opener(path, "DeepSpeed")
    opened = opener.checkpoint
    directory = zero_directory(path, {each.name for each in path.iterdir()}) or path
    opened.config = opener.json(path / "config.json")
    if directory != path:
        _tell_latest(opener, directory)
    zero = read_zero(opener, directory)
    opened.tensors, opened.kind, opened.resumable = zero.tensors, f"{zero.kind} checkpoint", True
    opened.step = zero.step if zero.step is not None else step_of_name(path)
    return opener.finished()


def _tell_latest(opener: Opener, directory: Path) -> None:
    """DeepSpeed loads what ``latest`` names, and fails where that is not there."""
    for name in LATEST:
        file = directory.parent / name
        tag = tag_of(file)
        if tag is not None and tag != directory.name and not (directory.parent / tag).is_dir():
            text = f"{file} names {clipped(tag)}, which is not there; there is {directory.name}"
            opener.fault(UNFINISHED, Severity.CRITICAL, text, named=tag)
