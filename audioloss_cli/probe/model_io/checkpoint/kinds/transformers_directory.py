"""A directory that transformers wrote, such as ``checkpoint-500`` of its Trainer: config.json and weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.files import read_json, read_weights
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request, layout_name_of
from audioloss_cli.probe.model_io.checkpoint.names import resolve
from audioloss_cli.probe.model_io.checkpoint.peft_names import merged
from audioloss_cli.probe.model_io.checkpoint.precision import dtype_of
from audioloss_cli.probe.model_io.checkpoint.pretrained import build, names_of
from audioloss_cli.probe.model_io.checkpoint.settings import configuration, note_of

ORDER = 50
_TEXT_HEAD = "text_lm_head.weight"
_ARCHITECTURES = {"higgs_audio_v2": ["HiggsAudioV2ForConditionalGeneration"]}  # where config.json names none
_REMEDY = "pass --model package.module:factory that builds the model"


def claims(request: Request) -> bool:
    """By its configuration."""
    return configuration(request) is not None


def load(request: Request) -> LoadedModel:
    """The class that ``architectures`` names, if it is transformers' own."""
    where = configuration(request)
    assert where is not None  # noqa: S101  # claims() saw it
    config = read_json(where)
    model_class = _class_of(config, where)
    stored = merged(read_weights(request.path), request.path)
    more = _arguments(config, stored.tensors)
    names, _ = resolve(stored.tensors, names_of(model_class, config, stored.tensors, where, **more))
    tensors = {names.get(name, name): tensor for name, tensor in stored.tensors.items()}
    dtype, note = dtype_of(request.dtype, config, tensors.values())
    found = build(model_class, config, tensors, dtype, request.path, **more)
    return LoadedModel(
        module=found.module.to(request.device),
        config=config,
        kind=f"transformers directory ({model_class.__name__})",
        layout_name=layout_name_of(config),
        missing=found.missing,
        unexpected=found.unexpected,
        mismatched=found.mismatched,
        notes=[*stored.notes, note, *note_of(where, request), *_codebooks(config, tensors)],
    )


def _class_of(config: Mapping[str, Any], where: Path) -> Any:
    import transformers  # noqa: PLC0415  # slow, and needed by this kind alone

    model_type = config.get("model_type")
    if config.get("auto_map"):
        raise UnreadableError(f"{where} names code of its own (auto_map), which is never run: {_REMEDY}")
    if config.get("quantization_config"):
        raise UnreadableError(
            f"{where} says the weights are quantised, which is not read: dequantise them, or {_REMEDY}"
        )
    named = config.get("architectures") or _ARCHITECTURES.get(str(model_type), [])
    for name in named if isinstance(named, list) else []:
        found: Any = getattr(transformers, name, None) if isinstance(name, str) else None
        own = isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)
        if own and found.__module__.startswith("transformers.") and found.config_class is not None:
            return found
    raise UnreadableError(
        f"{where}: transformers {transformers.__version__} has no model for model_type {str(model_type)[:80]!r}, "
        f"architectures {str(named)[:160]}: {_REMEDY}"
    )


def _arguments(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Higgs has its text head only if asked for; without it transformers drops the weights in silence."""
    if config.get("model_type") != "higgs_audio_v2":
        return {}
    return {"use_text_head": any(name.endswith(_TEXT_HEAD) for name in tensors)}


def _codebooks(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> list[str]:
    """The class defaults to 1024 ids a codebook, where every real checkpoint has 1026."""
    head, said = tensors.get("audio_lm_head.weight"), config.get("codebook_size", 1024)
    count = config.get("num_codebooks", 8)
    if config.get("model_type") != "higgs_audio_v2" or head is None or not count or head.shape[0] == count * said:
        return []
    return [
        f"config.json says {count} codebooks of {said} ids, the weights hold {head.shape[0] / count:g} ids for each: "
        f"set codebook_size to that; the audio head was not loaded"
    ]
