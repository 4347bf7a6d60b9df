"""A directory in the original layout of boson-ai/higgs-audio, run as its equal in transformers."""

from typing import Any

from audioloss_cli.probe.errors import EnvironmentalError
from audioloss_cli.probe.model_io.checkpoint.files import read_json, read_weights
from audioloss_cli.probe.model_io.checkpoint.higgs import DEFAULTS, own_names, renamed, settings_of, with_shared_layers
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request
from audioloss_cli.probe.model_io.checkpoint.names import resolve
from audioloss_cli.probe.model_io.checkpoint.peft_names import merged
from audioloss_cli.probe.model_io.checkpoint.precision import dtype_of
from audioloss_cli.probe.model_io.checkpoint.pretrained import build, names_of
from audioloss_cli.probe.model_io.checkpoint.settings import configuration, note_of

ORDER = 40
_TEXT_HEAD = "text_lm_head.weight"
_SINCE = "5.23"  # the oldest one that was tried


def claims(request: Request) -> bool:
    """By ``model_type``."""
    where = configuration(request)
    return where is not None and read_json(where).get("model_type") == "higgs_audio"


def load(request: Request) -> LoadedModel:
    """Rename in memory; the configuration stays the original's, with its defaults filled in."""
    Higgs = _class(request)  # noqa: N806  # it is a class
    where = configuration(request)
    assert where is not None  # noqa: S101  # claims() saw it
    config = {**DEFAULTS, **read_json(where)}
    settings = settings_of(config, where)
    stored = merged(read_weights(request.path), request.path)
    own, notes = own_names(stored.tensors)
    more = {"use_text_head": any(name.endswith(_TEXT_HEAD) for name in own)}
    names, unexpected = resolve(own, names_of(Higgs, settings, own, where, **more), renamed)
    tensors = {ours: own[theirs] for theirs, ours in names.items()}
    shared = with_shared_layers(tensors, config)
    dtype, note = dtype_of(request.dtype, config, tensors.values())
    found = build(Higgs, settings, tensors, dtype, request.path, **more)
    return LoadedModel(
        module=found.module.to(request.device),
        config=config,
        kind="Higgs Audio directory (original layout)",
        layout_name="higgs_audio",
        missing=found.missing,
        unexpected=unexpected,
        mismatched=found.mismatched,
        stands_in=True,
        notes=[
            *stored.notes,
            *notes,
            *shared,
            note,
            *note_of(where, request),
            "the weights run as transformers' HiggsAudioV2ForConditionalGeneration",
        ],
    )


def _class(request: Request) -> Any:
    """That of transformers, which older ones do not have.

    Raises:
        EnvironmentalError: the one that is installed has no Higgs Audio.
    """
    import transformers  # noqa: PLC0415  # slow, and needed by this kind alone

    found = getattr(transformers, "HiggsAudioV2ForConditionalGeneration", None)
    if found is None:
        raise EnvironmentalError(
            f"{request.path} is in the original Higgs layout, which needs transformers >= {_SINCE} (here is "
            f"{transformers.__version__}): upgrade it, or pass --model package.module:factory with the model's own code"
        )
    return found
