"""A LoRA adapter of PEFT, or a directory with one in ``lora_adapters``; the base must lie on this machine."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audioloss_cli.probe.errors import ProbeError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.adapter_settings import check_settings
from audioloss_cli.probe.model_io.checkpoint.configured import no_larger_than
from audioloss_cli.probe.model_io.checkpoint.factory import build, config_of
from audioloss_cli.probe.model_io.checkpoint.files import holds_weights, read_json, read_weights
from audioloss_cli.probe.model_io.checkpoint.higgs import renamed
from audioloss_cli.probe.model_io.checkpoint.load import load_checkpoint
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Mismatch, Request, layout_name_of
from audioloss_cli.probe.model_io.checkpoint.names import fitting, resolve
from audioloss_cli.probe.model_io.checkpoint.pretrained import one_line
from audioloss_cli.probe.model_io.device import is_out_of_memory

ORDER = 10
_CONFIG = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_LONGEST_PATH = 4095  # PATH_MAX of Linux
_FRONT = "base_model.model."
# How the adapter was initialised, which its weights replace, and what makes PEFT import modules by name
_NOT_FOLLOWED = {"auto_mapping", "megatron_config", "megatron_core", "init_lora_weights", "inference_mode"} | {
    f"{method}_config" for method in ("loftq", "eva", "corda", "lora_ga", "runtime")
}


def claims(request: Request) -> bool:
    """By its configuration; weights beside ``lora_adapters`` come first."""
    return _directory(request.path) is not None


def load(request: Request) -> LoadedModel:
    """Load the base as the checkpoint it is, then put the adapter on it, trainable as it was."""
    directory = _directory(request.path)
    assert directory is not None  # noqa: S101  # claims() saw it
    settings = read_json(directory / _CONFIG)
    if settings.get("peft_type") != "LORA":
        kind = str(settings.get("peft_type"))[:80]
        raise UnreadableError(f"{directory / _CONFIG}: peft_type {kind!r} is not LORA; merge it into its base")
    weights = next((directory / name for name in _WEIGHTS if (directory / name).is_file()), None)
    if weights is None:
        raise UnreadableError(f"{directory} holds {_CONFIG} but no {' or '.join(_WEIGHTS)}; save it again")
    stored = read_weights(weights)
    check_settings(settings, stored.tensors, directory / _CONFIG)
    base = _base(request, directory, settings)
    renames = _is_renamed(base)
    with no_larger_than({**dict(base.tensors()), **stored.tensors}, directory / _CONFIG):
        module = _with_adapter(base, settings, directory, renames=renames)
    try:
        missing, unexpected, mismatched = _fill(module, stored.tensors, renames=renames)
    except (KeyError, ValueError, RuntimeError, AttributeError, TypeError, IndexError) as error:
        raise UnreadableError(_misfit(weights, settings, error)) from error
    return LoadedModel(
        module=module.eval().to(request.device),
        config=base.config,
        kind=f"LoRA adapter on a {base.kind}",
        layout_name=base.layout_name,
        missing=[*(_FRONT + name for name in base.missing), *missing],
        unexpected=[*base.unexpected, *unexpected],
        mismatched=[*(item._replace(name=_FRONT + item.name) for item in base.mismatched), *mismatched],
        stands_in=base.stands_in,
        notes=[*base.notes, *stored.notes],
    )


def _directory(path: Path) -> Path | None:
    if (path / _CONFIG).is_file():
        return path
    nested = path / "lora_adapters"
    return nested if (nested / _CONFIG).is_file() and not holds_weights(path) else None


def _base(request: Request, directory: Path, settings: dict[str, Any]) -> LoadedModel:
    """The base by its path, from the adapter's directory or the current one; else what the factory builds."""
    name = str(settings.get("base_model_name_or_path") or "")[:_LONGEST_PATH]
    places = [directory / name, Path.cwd() / name] if name else []
    found = next((place for place in places if _is_base(place)), None)
    if found is not None:
        return load_checkpoint(
            found,
            model=request.model,
            model_arguments=request.model_arguments,
            dtype=request.dtype,
            device=request.device,
        )
    if not request.model:
        raise UnreadableError(
            f"{directory} is an adapter for {name[:200] or 'a base it does not name'}, which is not here and is not "
            f"fetched: set base_model_name_or_path in {_CONFIG} to a directory, or pass --model package.module:factory"
        )
    module = build(request).eval().to(request.device, request.dtype)
    config, notes = config_of(request, module)
    kind = f"model of {request.model}"
    return LoadedModel(
        module, config, kind, layout_name_of(config), notes=[*notes, "the base is as the factory built it"]
    )


def _is_base(place: Path) -> bool:
    """Not an adapter again: one that names itself would never end."""
    try:
        return _directory(place) is None and ((place / "config.json").is_file() or holds_weights(place))
    except (OSError, ValueError):  # its name is no name of a file
        return False


def _is_renamed(base: LoadedModel) -> bool:
    """Whether an original Higgs runs as transformers' class, so that the adapter has names of another class."""
    return base.layout_name == "higgs_audio" and hasattr(base.module, "audio_lm_head")


def _with_adapter(base: LoadedModel, settings: dict[str, Any], directory: Path, *, renames: bool) -> Any:
    """An adapter with its initial weights, which compute nothing."""
    from peft import LoraConfig, PeftModel  # noqa: PLC0415  # slow, and needed by this kind alone

    known = {name: value for name, value in settings.items() if name in LoraConfig.__dataclass_fields__}
    followed = {name: value for name, value in known.items() if name not in _NOT_FOLLOWED}
    if renames:
        followed |= {
            name: [renamed(entry) for entry in followed[name]]
            for name in ("target_modules", "modules_to_save", "exclude_modules")
            if isinstance(followed.get(name), list)
        }
    module: Any = base.module
    with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            return PeftModel(module, LoraConfig(**followed))  # the plain class: it passes every argument through
        except (ProbeError, ModuleNotFoundError):
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise UnreadableError(f"{directory / _CONFIG} does not fit its base: {one_line(error)}") from error


def _fill(
    module: nn.Module, tensors: dict[str, Tensor], *, renames: bool
) -> tuple[list[str], list[str], list[Mismatch]]:
    """Give the adapter its weights; missing, unexpected and mismatched by PEFT's names."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict  # noqa: PLC0415  # slow, and needed by this kind alone

    ours = get_peft_model_state_dict(module, save_embedding_layers=False)
    shapes = {name: tuple(tensor.shape) for name, tensor in {**module.state_dict(), **ours}.items()}
    names, unexpected = resolve(tensors, shapes.keys(), _renamed_below_front if renames else _with_front)
    wanted = {found: tensors[name] for name, found in names.items()}
    fits, mismatched = fitting(wanted, shapes)
    with warnings.catch_warnings(action="ignore"):
        set_peft_model_state_dict(module, {**ours, **fits})
    return sorted(ours.keys() - wanted.keys()), unexpected, mismatched


def _misfit(weights: Path, settings: dict[str, Any], error: Exception) -> str:
    """PEFT takes ``embed_audio_tokens`` of modules_to_save for each module whose name ends so, one inside the other."""
    found = settings.get("modules_to_save")
    saved = found if isinstance(found, list) else []
    return (
        f"{weights} does not fit its base: {one_line(error)}; if a module and one inside it both end in an entry of "
        f"modules_to_save ({', '.join(map(str, saved))[:200] or 'there is none'}), name the outer one in full, such as "
        "model.embed_audio_tokens, and train the adapter again"
    )


def _with_front(name: str) -> str:
    return _FRONT + name.removeprefix(_FRONT)


def _renamed_below_front(name: str) -> str:
    return _FRONT + renamed(name.removeprefix(_FRONT))
