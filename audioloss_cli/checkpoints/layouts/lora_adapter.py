"""Adapters of PEFT: adapter_model.safetensors or .bin beside adapter_config.json, also in a directory of their own."""

from pathlib import Path

from audioloss_cli.checkpoints.layouts._opener import Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_name
from audioloss_cli.checkpoints.layouts._weights import ADAPTER, adapter_directories, has_weights, read_adapter
from audioloss_cli.checkpoints.stored import Checkpoint

ORDER = 20

_NESTED = "lora_adapters"  # where the public trainer of Higgs Audio puts its adapter


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by the name of the weights, here or in the directory that trainers put them in."""
    if has_weights(names, ADAPTER):
        return True
    return _NESTED in names and not has_weights(names) and path / _NESTED in adapter_directories(path)


def read(path: Path) -> Checkpoint:
    """Read the headers and adapter_config.json."""
    opener = Opener(path, "LoRA adapter")
    opened = opener.checkpoint
    names = {each.name for each in path.iterdir()}
    directory = path if has_weights(names, ADAPTER) else path / _NESTED
    opener.sweep(directory)
    opened.config = opener.json(path / "config.json")
    opened.tensors = read_adapter(opener, directory) or {}
    opened.step = step_of_name(path)
    return opener.finished()
