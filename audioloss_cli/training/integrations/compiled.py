"""Hooks on compiled models: what they do is not compiled, but done between two graphs."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import torch

_Hook = TypeVar("_Hook", bound=Callable[..., None])
_WHY = (
    "audioloss reads losses and inputs between two graphs: compile the model without fullgraph=True, or leave out the "
    "callback and give the losses to AudioLossGuard"
)


def between_graphs(hook: _Hook) -> _Hook:
    """Break the graph here. For a branch of a hook alone: as a wrapper of all of it, it takes longer than the hook."""
    disable: Any = torch.compiler.disable
    known = "reason" in inspect.signature(disable).parameters  # not yet in torch 2.6
    made: _Hook = disable(hook, reason=_WHY) if known else disable(hook)
    return made
