"""Directories of save_pretrained: config.json beside a model in one file, or in shards and their index."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._opener import Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_name
from audioloss_cli.checkpoints.layouts._weights import has_weights, read_weights
from audioloss_cli.checkpoints.stored import Checkpoint

ORDER = 30


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the names of weights."""
    return path.is_dir() and has_weights(names)


def read(path: Path) -> Checkpoint:
    """Read the headers of all shards, and hold them to their index."""
    opener = Opener(path, "transformers directory")
    opened = opener.checkpoint
    opener.sweep(path)
    opened.config = opener.json(path / "config.json")
    opened.tensors = read_weights(opener, path) or {}
    opened.step = step_of_name(path)
    return opener.finished()
