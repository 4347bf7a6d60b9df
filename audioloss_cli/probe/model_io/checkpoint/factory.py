"""The model that a factory of the user builds, and its configuration."""

from typing import Any

from torch import Tensor, nn

from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.imports import call_factory, import_factory
from audioloss_cli.probe.model_io import signature
from audioloss_cli.probe.model_io.checkpoint.files import read_json
from audioloss_cli.probe.model_io.checkpoint.loaded import Request
from audioloss_cli.probe.model_io.checkpoint.settings import configuration, note_of


def build(request: Request) -> nn.Module:
    """What the factory gives.

    Raises:
        UsageError: it fails, or gives no module that can hold weights.
    """
    factory = import_factory(request.model, "--model")
    module = call_factory(factory, request.model_arguments, request.model, "--model")
    if not isinstance(module, nn.Module):
        raise UsageError(f"--model {request.model!r} gave a {type(module).__name__}, it must give a torch.nn.Module")
    if any(tensor.is_meta for tensor in tensors_of(module).values()):
        raise UsageError(f"--model {request.model!r} gave a model on the meta device; build it on the CPU")
    return module


def config_of(request: Request, module: nn.Module) -> tuple[dict[str, Any], list[str]]:
    """``config.json`` of the run, else what the model says of itself, and a note if there is neither."""
    where = configuration(request)
    if where is not None:
        return read_json(where), note_of(where, request)
    for each in module.modules():  # a wrapper has none of its own, the model inside it has
        own: Any = getattr(each, "config", None)
        described = own.to_dict() if hasattr(own, "to_dict") else own
        if isinstance(described, dict):
            return described, []
        if found := signature.described(each):
            return found, []
    return {}, ["there is no configuration: neither config.json nor a config of the model"]


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; what else a module keeps in its state is passed over."""
    return {name: tensor for name, tensor in module.state_dict().items() if isinstance(tensor, Tensor)}
