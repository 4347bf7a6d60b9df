"""Weights alone, in a file or a directory, for a model that the user's factory builds."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from audioloss_cli.probe.errors import UnreadableError, UsageError
from audioloss_cli.probe.imports import call_factory, import_factory
from audioloss_cli.probe.model_io import signature
from audioloss_cli.probe.model_io.checkpoint.files import SUFFIXES, read_json, read_weights
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request, layout_name_of
from audioloss_cli.probe.model_io.checkpoint.names import fitting, resolve
from audioloss_cli.probe.model_io.checkpoint.peft_names import holds_adapters, merged
from audioloss_cli.probe.model_io.checkpoint.precision import dtype_of
from audioloss_cli.probe.model_io.checkpoint.settings import configuration, note_of

ORDER = 30


def claims(request: Request) -> bool:
    """A weight file without a configuration, and whatever comes with a factory."""
    a_file = request.path.is_file() and request.path.suffix in SUFFIXES
    return bool(request.model) or (a_file and configuration(request) is None)


def load(request: Request) -> LoadedModel:
    """Build the model, then give it the weights."""
    if not request.model:
        raise UsageError(
            f"{request.path} holds weights but not the model they belong to; pass --model package.module:factory, or "
            "--config-json where the model is one of transformers"
        )
    module = build(request)
    stored = read_weights(request.path)
    if not holds_adapters(module.state_dict()):
        stored = merged(stored, request.path)
    names, unexpected = resolve(stored.tensors, module.state_dict().keys())
    shapes = {name: tuple(tensor.shape) for name, tensor in _tensors(module).items()}
    wanted = {ours: stored.tensors[theirs] for theirs, ours in names.items() if ours in shapes}
    if not wanted:
        example = next(iter(stored.tensors))
        raise UnreadableError(
            f"{request.path}: no tensor fits the model of {request.model}; it has names such as {example}"
        )
    fits, mismatched = fitting(wanted, shapes)
    module.load_state_dict(fits, strict=False)
    config, found = config_of(request, module)
    return LoadedModel(
        module=module.eval().to(request.device, _dtype(request, wanted)),
        config=config,
        kind=f"weights for {request.model}",
        layout_name=layout_name_of(config),
        missing=_missing(module, wanted.keys()),
        unexpected=unexpected,
        mismatched=mismatched,
        notes=[*found, *stored.notes, _note(request, wanted)],
    )


def build(request: Request) -> nn.Module:
    """What the factory gives.

    Raises:
        UsageError: it fails, or gives no module that can hold weights.
    """
    factory = import_factory(request.model, "--model")
    module = call_factory(factory, request.model_arguments, request.model, "--model")
    if not isinstance(module, nn.Module):
        raise UsageError(f"--model {request.model!r} gave a {type(module).__name__}, it must give a torch.nn.Module")
    if any(tensor.is_meta for tensor in _tensors(module).values()):
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


def _missing(module: nn.Module, found: Collection[str]) -> list[str]:
    """Names that got nothing; of tied tensors one name is enough for all."""
    groups: dict[int, list[str]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):
            groups.setdefault(id(tensor), []).append(name)
    return sorted(names[0] for names in groups.values() if not any(name in found for name in names))


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in module.state_dict().items() if isinstance(tensor, Tensor)}


def _dtype(request: Request, tensors: dict[str, Tensor]) -> torch.dtype | None:
    """What was asked for, else that of the weights if they have one alone, else as the factory built it."""
    floating = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    return request.dtype or (floating.pop() if len(floating) == 1 else None)


def _note(request: Request, tensors: dict[str, Tensor]) -> str:
    dtype = _dtype(request, tensors)
    if dtype is None:
        return "the weights have several dtypes; the model keeps those that the factory gave it"
    return dtype_of(request.dtype, {}, tensors.values())[1]
