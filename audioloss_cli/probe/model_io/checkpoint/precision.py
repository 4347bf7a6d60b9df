"""Which dtype a checkpoint is loaded in."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

_DEFAULT = torch.float32


def dtype_of(
    asked: torch.dtype | None, config: Mapping[str, Any], tensors: Iterable[Tensor]
) -> tuple[torch.dtype, str]:
    """The dtype and a note: what was asked for, else what the configuration says, else that of the first tensor."""
    if asked is not None:
        return asked, f"the weights are {_short(asked)}, as asked for"
    said = _said(config) or _said(config.get("text_config") or {})
    if said is not None:
        return said, f"the weights are {_short(said)}, as config.json says"
    first = next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), _DEFAULT)
    return first, f"the weights are {_short(first)}, as the first tensor is"


def _said(config: Any) -> torch.dtype | None:
    if not isinstance(config, Mapping):
        return None
    name = config.get("dtype") or config.get("torch_dtype")
    found = getattr(torch, name.removeprefix("torch."), None) if isinstance(name, str) else None
    return found if isinstance(found, torch.dtype) and found.is_floating_point else None


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
