"""A path to a model: the first kind that claims the path loads it."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from audioloss_cli import installation, registry
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request
from audioloss_cli.probe.model_io.checkpoint.pickles import trusting
from audioloss_cli.probe.model_io.device import is_out_of_memory

KINDS = "probe.model_io.checkpoint.kinds"
_PACKAGES = {"accelerate", "huggingface_hub", "peft", "safetensors", "transformers"}


def load_checkpoint(
    path: Path,
    *,
    model: str = "",
    model_arguments: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device,
    config_json: str = "",
    trusted: bool = False,
) -> LoadedModel:
    """Load whatever lies at a path: see the modules of ``kinds`` for what that can be.

    Args:
        path: a directory or a file.
        model: import string of a factory that builds the model; needed where the checkpoint does not say what it is.
        model_arguments: keyword arguments of the factory.
        dtype: of the weights; None: what the checkpoint says.
        device: where the model is to run.
        config_json: path of the configuration; looked for beside the weights and above them if empty.
        trusted: whether a pickle may be given to a loader that it could make corrupt memory (torch before 2.10).

    Raises:
        UsageError: a factory is needed, or fails.
        UnreadableError: the checkpoint is not there, is damaged, would have to run code of its own, or is of no kind.
        EnvironmentalError: memory or a package is missing.
    """
    request = Request(path, model, model_arguments or {}, dtype, device, config_json)
    with _blame(request), trusting(trusted):
        _refuse(path)
        kind = next((kind for kind in _kinds() if kind.claims(request)), None)
        if kind is None:
            raise UnreadableError(f"{path} is no checkpoint: {_what_is_there(path)}")
        loaded: LoadedModel = kind.load(request)
    return loaded


def _kinds() -> list[ModuleType]:
    return sorted((registry.load(KINDS, name) for name in registry.names(KINDS)), key=lambda kind: int(kind.ORDER))


def _refuse(path: Path) -> None:
    """What no kind may touch: the readers of these formats unpickle without a guard."""
    if not path.exists():
        raise UnreadableError(f"{path}: no such file or directory")
    inside = [path, *sorted(path.iterdir())] if path.is_dir() else []
    sharded = next((place for place in inside if (place / ".metadata").is_file()), None)
    if sharded is not None:
        raise UnreadableError(
            f"{sharded} is a torch.distributed.checkpoint, which only unpickling reads: if you trust it, run "
            f"python -m torch.distributed.checkpoint.format_utils dcp_to_torch {sharded} model.pt, then probe that"
        )
    if path.is_dir() and (path / "zero_to_fp32.py").is_file() and not any(path.glob("*.safetensors")):
        raise UnreadableError(
            f"{path} holds DeepSpeed shards: if you trust them, run its zero_to_fp32.py, then probe what that writes"
        )


def _what_is_there(path: Path) -> str:
    if path.is_file():
        return "its name ends in none of .pt, .pth, .bin, .ckpt, .safetensors, .pt2"
    steps = sorted(child.name for child in path.glob("checkpoint-*") if child.is_dir())
    if steps:
        return f"it holds {', '.join(steps[-3:])}; name one of them"
    if any(path.glob("*.safetensors")):
        return "it holds weights but no config.json; name it with --config-json, or pass --model package.module:factory"
    return "there is no config.json, adapter_config.json or weight file in it"


@contextmanager
def _blame(request: Request) -> Iterator[None]:
    """Memory, packages and files that fail somewhere below become one line; what is already one line passes."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if is_out_of_memory(error):
            raise _out_of_memory(request) from error
        raise
    except OSError as error:
        if error.errno == errno.ENOMEM:  # a file that could not be mapped
            raise _out_of_memory(request) from error
        raise UnreadableError(f"{error.filename or request.path}: {error.strerror or error}") from error
    except (ModuleNotFoundError, registry.MissingDependencyError) as error:
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        name = getattr(missing, "name", None) or ""
        if name.partition(".")[0] not in _PACKAGES:
            raise
        raise EnvironmentalError(
            f"{request.path} needs the package {name!r}: {installation.command('probe')}"
        ) from error


def _out_of_memory(request: Request) -> EnvironmentalError:
    return EnvironmentalError(
        f"{request.path}: out of memory on {request.device}: try --dtype bfloat16, --device cpu or fewer --batches"
    )
