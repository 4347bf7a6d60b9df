"""Weights alone, in a file or a directory, for a model that the user's factory builds."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from audioloss_cli.probe.errors import UnreadableError, UsageError
from audioloss_cli.probe.model_io.checkpoint.factory import build, config_of, tensors_of
from audioloss_cli.probe.model_io.checkpoint.files import SUFFIXES, read_weights
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request, layout_name_of
from audioloss_cli.probe.model_io.checkpoint.names import fitting, resolve
from audioloss_cli.probe.model_io.checkpoint.peft_names import holds_adapters, merged
from audioloss_cli.probe.model_io.checkpoint.precision import dtype_of
from audioloss_cli.probe.model_io.checkpoint.settings import configuration

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
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors_of(module).items()}
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


def _missing(module: nn.Module, found: Collection[str]) -> list[str]:
    """Names that got nothing; of tied tensors one name is enough for all."""
    groups: dict[int, list[str]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):
            groups.setdefault(id(tensor), []).append(name)
    return sorted(names[0] for names in groups.values() if not any(name in found for name in names))


def _dtype(request: Request, tensors: dict[str, Tensor]) -> torch.dtype | None:
    """What was asked for, else that of the weights if they have one alone, else as the factory built it."""
    floating = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    return request.dtype or (floating.pop() if len(floating) == 1 else None)


def _note(request: Request, tensors: dict[str, Tensor]) -> str:
    dtype = _dtype(request, tensors)
    if dtype is None:
        return "the weights have several dtypes; the model keeps those that the factory gave it"
    return dtype_of(request.dtype, {}, tensors.values())[1]
