"""One file of tensors of any format: safetensors, .pt, .pth and .bin of torch, .npz."""

import re
from pathlib import Path

from audioloss_cli.checkpoints.formats import suffixes
from audioloss_cli.checkpoints.layouts._one_file import read_one
from audioloss_cli.checkpoints.stored import Checkpoint

ORDER = 90

#: What lies beside weights, and is a checkpoint only together with them.
_BESIDE = re.compile(
    r"(optimizer|scheduler|sampler|dl_state_dict)(_\d+)?\.(pt|bin)|(rng_state|random_states)(_\d+)?\.(pth|pkl)"
    r"|training_args\.bin|scaler\.pt|custom_checkpoint_\d+\.pkl"
)


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the suffix."""
    name = path.name.lower()
    return not names and name.endswith(suffixes()) and not _BESIDE.fullmatch(name) and path.is_file()


def read(path: Path) -> Checkpoint:
    """Read the header."""
    return read_one(path)
