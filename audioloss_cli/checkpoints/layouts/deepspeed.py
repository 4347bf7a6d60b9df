"""Directories of DeepSpeed: global_stepN with states of the model and of each rank's optimizer, beside ``latest``."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._opener import Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_name
from audioloss_cli.checkpoints.layouts._zero import read_zero, zero_directory
from audioloss_cli.checkpoints.stored import Checkpoint

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
    zero = read_zero(opener, directory)
    opened.tensors, opened.kind, opened.resumable = zero.tensors, f"{zero.kind} checkpoint", True
    opened.step = zero.step if zero.step is not None else step_of_name(path)
    return opener.finished()
