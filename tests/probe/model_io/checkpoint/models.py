"""Factories for --model, and what the tests compare: the logits of one batch."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audioloss_cli.probe.model_io.checkpoint import LoadedModel, load_checkpoint
from tests.probe import tiny

CPU = torch.device("cpu")
FACTORY = "tests.probe.model_io.checkpoint.models:higgs"


def higgs(**more: Any) -> nn.Module:
    return tiny.model(99, **more)


def linear(*, rows: int = 4) -> nn.Module:
    torch.manual_seed(99)
    return nn.Sequential(nn.Linear(3, rows), nn.Linear(rows, 2))


def tied() -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    module[1].weight = module[0].weight
    return module


def number() -> int:
    return 7


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Linear(3, 2)


@torch.no_grad()
def logits(module: Any) -> Tensor:
    batch = tiny.hf_batch(((4,),))
    batch["input_ids"][batch["input_ids"] == tiny.DELAY] = tiny.AUDIO  # the original has one placeholder for both
    return module(**{name: batch[name] for name in batch if name != "audio_labels"}).logits


def load(path: Path, **more: Any) -> LoadedModel:
    return load_checkpoint(path, **{"device": CPU, **more})


def assert_same(loaded: LoadedModel, module: nn.Module) -> None:
    assert isinstance(loaded.module, nn.Module)
    assert not loaded.module.training
    assert (loaded.missing, loaded.unexpected, loaded.mismatched) == ([], [], [])
    assert torch.equal(logits(loaded.module), logits(module))
