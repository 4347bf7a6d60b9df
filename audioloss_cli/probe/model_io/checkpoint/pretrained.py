"""A model of transformers from a configuration and tensors, without transformers touching the disk or the network."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from audioloss_cli.probe.errors import ProbeError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.configured import check_counts, no_larger_than
from audioloss_cli.probe.model_io.checkpoint.loaded import Mismatch
from audioloss_cli.probe.model_io.device import is_out_of_memory

# Settings that make transformers fetch kernels, patch classes or read other files
_NOT_FOLLOWED = frozenset(
    {"attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation"}
    | {"_experts_implementation", "_experts_implementation_internal", "fusion_config", "kernel_config"}
    | {"distributed_config", "transformers_weights", "auto_map"}
)


class Pretrained(NamedTuple):
    """A model in eval mode on the CPU, and what did not fit."""

    module: Any
    missing: list[str]
    unexpected: list[str]
    mismatched: list[Mismatch]


def build(
    model_class: Any,
    settings: Mapping[str, Any],
    tensors: dict[str, Tensor],
    dtype: torch.dtype,
    path: Path,
    **more: Any,
) -> Pretrained:
    """Build the class from settings and give it the tensors.

    Args:
        model_class: a class of transformers.
        settings: what its configuration class takes, as in ``config.json``.
        tensors: by the model's names; those that already have the dtype are shared, not copied.
        dtype: of the weights.
        path: for messages.
        more: keyword arguments of the class.

    Raises:
        UnreadableError: there is no such model, or none of its weights is among the tensors.
    """
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for what the checkpoint lacks: the same report every time
        try:
            config = model_class.config_class.from_dict(followed(settings))
            module, info = model_class.from_pretrained(
                None,
                config=config,
                state_dict=tensors,
                **{_dtype_keyword(): dtype},
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                local_files_only=True,
                **more,
            )
        except ModuleNotFoundError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise UnreadableError(f"{path}: {model_class.__name__} cannot be built: {one_line(error)}") from error
    mismatched = sorted(Mismatch(name, tuple(file), tuple(ours)) for name, file, ours in info["mismatched_keys"])
    missing = sorted(set(info["missing_keys"]) - {item.name for item in mismatched})
    if len(missing) + len(mismatched) >= len(module.state_dict()):
        example = next(iter(tensors), "none at all")
        raise UnreadableError(f"{path}: no tensor fits {model_class.__name__}; the file has names such as {example}")
    return Pretrained(module.eval(), missing, sorted(info["unexpected_keys"]), mismatched)


def names_of(
    model_class: Any, settings: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path, **more: Any
) -> set[str]:
    """Names of the model's state, without its memory.

    Args:
        model_class: a class of transformers.
        settings: what its configuration class takes.
        tensors: of the checkpoint, by whatever names: they say how large the model may become.
        path: of the configuration, for messages.
        more: keyword arguments of the class.

    Raises:
        UnreadableError: the configuration is none of the class's, or describes a model much larger than the weights.
    """
    check_counts(settings, path)
    try:
        with quiet(), torch.device("meta"), no_larger_than(tensors, path):
            return set(model_class(model_class.config_class.from_dict(followed(settings)), **more).state_dict())
    except ProbeError:
        raise
    except Exception as error:
        raise UnreadableError(f"{path}: {model_class.__name__} cannot be built: {one_line(error)}") from error


def _dtype_keyword() -> str:
    """As ``from_pretrained`` calls it: ``torch_dtype`` until transformers 4.56, and no longer in 5."""
    import transformers  # noqa: PLC0415  # slow, and needed by this kind alone

    major, minor = (int(part) for part in transformers.__version__.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def followed(settings: Any) -> Any:
    """The settings less those that reach beyond the checkpoint, at every depth."""
    if isinstance(settings, Mapping):
        return {name: followed(value) for name, value in settings.items() if name not in _NOT_FOLLOWED}
    return [followed(value) for value in settings] if isinstance(settings, list) else settings


def one_line(error: BaseException) -> str:
    """What an exception says, without line breaks, at a readable length."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 300 else f"{text[:297]}..."  # noqa: PLR2004


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bar, warning or report on the screen; as it was afterwards."""
    from transformers.utils import logging as reports  # noqa: PLC0415  # slow, and not needed by every kind

    verbosity, bars = reports.get_verbosity(), reports.is_progress_bar_enabled()
    reports.set_verbosity(logging.CRITICAL)
    reports.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        reports.set_verbosity(verbosity)
        if bars:
            reports.enable_progress_bar()
