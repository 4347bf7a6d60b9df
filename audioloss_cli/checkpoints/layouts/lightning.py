"""Files of Lightning (.ckpt): state_dict, optimizer_states, lr_schedulers, loops and counters in one pickle."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._one_file import read_one
from audioloss_cli.checkpoints.stored import Checkpoint

ORDER = 80


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the suffix; other trainers use it as well, which is seen when it is read."""
    return not names and path.suffix.lower() == ".ckpt" and path.is_file()


def read(path: Path) -> Checkpoint:
    """Read the header, and what lies beside the model."""
    return read_one(path)
