"""Directories of torch.distributed.checkpoint: ``.metadata`` and files of chunks, as FSDP and torchtitan save them."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._metadata import is_distributed, read_distributed
from audioloss_cli.checkpoints.layouts._opener import Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_name, training_step
from audioloss_cli.checkpoints.stored import Checkpoint, Part

ORDER = 26

_META = "meta.pt"  # of Lightning, which puts there what is no tensor


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the names of ``.metadata`` and of chunks."""
    return path.is_dir() and is_distributed(names)


def read(path: Path) -> Checkpoint:
    """Walk through ``.metadata``, and find the values of each chunk."""
    opener = Opener(path, "torch.distributed checkpoint")
    opened = opener.checkpoint
    opened.config = opener.json(path / "config.json")
    found = read_distributed(opener, path)
    opened.tensors, opened.resumable = found.tensors, found.has_optimizer
    meta = opener.tensors(path / _META)
    steps = (training_step(meta.value) if meta else None, found.step, step_of_name(path))
    opened.step = next((step for step in steps if step is not None), None)
    if found.has_optimizer:
        opened.parts.append(Part("optimizer", path, found.step))
    return opener.finished()
