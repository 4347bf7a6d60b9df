"""What is asked of a checkpoint, and what it gives."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

LayoutName = Literal["higgs_audio_v2", "higgs_audio", ""]


class Mismatch(NamedTuple):
    """A tensor that was left out because its shape is not the model's."""

    name: str
    in_file: tuple[int, ...]
    in_model: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What to load and how; see ``load_checkpoint``."""

    path: Path
    model: str
    model_arguments: Mapping[str, Any]
    dtype: torch.dtype | None
    device: torch.device
    config_json: str = ""


@dataclass(slots=True)
class LoadedModel:
    """A model that runs, on its device and in eval mode.

    Attributes:
        module: an ``nn.Module``; what the model lacks in the checkpoint is initialised with a fixed seed.
        config: ``config.json`` as it is, or what the model itself says; empty if there is neither.
        kind: what the path is, for the report.
        layout_name: the family its configuration names, empty if none that is known.
        missing: tensors of the model that the checkpoint lacks, by the model's names.
        unexpected: tensors of the checkpoint that the model has no place for, by the checkpoint's names.
        mismatched: tensors of another shape than the model's; they were not loaded.
        stands_in: whether the module is of another class than the one trained, so that its signature says nothing.
        notes: sentences for the report.
    """

    module: Callable[..., Any]
    config: dict[str, Any]
    kind: str
    layout_name: LayoutName = ""
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[Mismatch] = field(default_factory=list)
    stands_in: bool = False
    notes: list[str] = field(default_factory=list)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name and tensor of what the checkpoint holds of the model: its state less what was initialised here.

        The tensors are the model's own, on its device and in its dtype; a cast to a smaller dtype can make an infinity.
        """
        if not isinstance(self.module, nn.Module):
            return
        ours = {*self.missing, *(item.name for item in self.mismatched)}
        for name, tensor in self.module.state_dict().items():
            if name not in ours and isinstance(tensor, Tensor):  # a module may keep other state as well
                yield name, tensor


def layout_name_of(config: Mapping[str, Any]) -> LayoutName:
    """The family that ``model_type`` names."""
    name = config.get("model_type")
    return name if name in ("higgs_audio_v2", "higgs_audio") else ""
