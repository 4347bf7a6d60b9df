"""A directory in the original layout of boson-ai/higgs-audio, run as its equal in transformers."""

from audioloss_cli.probe.model_io.checkpoint.files import read_json, read_weights
from audioloss_cli.probe.model_io.checkpoint.higgs import DEFAULTS, own_names, renamed, settings_of, with_shared_layers
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request
from audioloss_cli.probe.model_io.checkpoint.names import resolve
from audioloss_cli.probe.model_io.checkpoint.precision import dtype_of
from audioloss_cli.probe.model_io.checkpoint.pretrained import build, names_of

ORDER = 40
_TEXT_HEAD = "text_lm_head.weight"


def claims(request: Request) -> bool:
    """By ``model_type``."""
    where = request.path / "config.json"
    return where.is_file() and read_json(where).get("model_type") == "higgs_audio"


def load(request: Request) -> LoadedModel:
    """Rename in memory; the configuration stays the original's, with its defaults filled in."""
    from transformers import HiggsAudioV2ForConditionalGeneration as Higgs  # noqa: PLC0415  # slow, and needed by this kind alone

    where = request.path / "config.json"
    config = {**DEFAULTS, **read_json(where)}
    settings = settings_of(config, where)
    stored = read_weights(request.path)
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
            "the weights run as transformers' HiggsAudioV2ForConditionalGeneration",
        ],
    )
