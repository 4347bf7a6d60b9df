"""What every family promises: which checkpoints are its own, its audio tensors, and what a configuration asks for."""

import pytest

from audioloss_cli import registry
from audioloss_cli.checkpoints.checks import config_mismatch, missing_audio_weights
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, FOLDER, TEXT, family_of, members, placed
from audioloss_cli.model import Severity
from tests.checkpoints.families.tiny_shapes import CONFIGS, FAMILIES, HEADS, SHAPES, H, K, V, checkpoint
from tests.checkpoints.families.tiny_shapes import TEXT as WORDS

every = pytest.mark.parametrize("name", FAMILIES)
LLAMA = ("model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.norm.weight", "lm_head.weight")
BERT = ("bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.output.dense.weight", "cls.decoder.weight")
WHISPER = ("model.encoder.layers.0.fc1.weight", "model.decoder.embed_tokens.weight", "proj_out.weight")


def evidence_of(name, **more):
    found = checkpoint(name, **more)
    return CheckpointEvidence(found, family_of(found.config, found.tensors))


def messages(check, evidence):
    return [problem.message for problem in check.check(evidence)]


def test_every_family_is_tried():
    assert list(registry.names(FOLDER)) == FAMILIES


@every
def test_it_is_known_by_its_configuration(name):
    assert family_of(CONFIGS[name], []) is registry.load(FOLDER, name)


@every
@pytest.mark.parametrize("front", ["", "module.", "base_model.model.", "_orig_mod.module."])
def test_it_is_known_by_names_alone(name, front):
    assert family_of({}, [front + each for each in SHAPES[name]]) is registry.load(FOLDER, name)


@pytest.mark.parametrize("names", [LLAMA, BERT, WHISPER, ()])
def test_a_model_without_audio_codes_is_of_none(names):
    assert family_of({}, names) is None
    assert family_of({"model_type": "llama"}, names) is None
    assert not registry.load(FOLDER, "csm").serves({"model_type": []}, names)


def test_any_other_model_is_known_by_tensors_that_speak_of_audio():
    found = family_of({}, [*LLAMA, "audio_heads.0.weight", "audio_embeddings.weight"])
    assert "not known" in found.NAME
    assert members(found, ["audio_heads.0.weight", "lm_head.weight"], "head") == ["audio_heads.0.weight"]


def test_the_base_of_an_adapter_tells_its_family():
    for base, name in (("bosonai/higgs-audio-v2-generation-3B-base", "higgs_audio"), ("sesame/csm-1b", "csm")):
        assert family_of({"base_model_name_or_path": base}, []) is registry.load(FOLDER, name)
    mapping = {"parent_library": "transformers.models.higgs_audio_v2.modeling_higgs_audio_v2"}
    assert family_of({"auto_mapping": mapping}, []) is registry.load(FOLDER, "higgs_audio_v2")


@every
def test_its_groups_are_there_and_share_no_tensor(name):
    family, names = registry.load(FOLDER, name), list(SHAPES[name])
    head, table = HEADS[name]
    assert head in members(family, names, "head")
    assert table in members(family, names, "embeddings")
    groups = [set(members(family, names, group)) for group in (*AUDIO, *TEXT)]
    assert sum(len(group) for group in groups) == len(set.union(*groups))


@every
@pytest.mark.parametrize("front", ["", "module.", "base_model.model.", "generator."])
def test_a_healthy_checkpoint_is_what_its_configuration_asks_for(name, front):
    evidence = evidence_of(name, front=front)
    asked = evidence.family.expected(CONFIGS[name])
    assert len(placed(asked, evidence.checkpoint.tensors)) >= len(
        [each for each in asked if not each.tied and not each.optional]
    )
    for check in (config_mismatch, missing_audio_weights):
        assert messages(check, evidence) == []
        assert check.passed(evidence)


@every
@pytest.mark.parametrize("place", [0, 1])
def test_a_tensor_that_lacks_is_missing(name, place):
    lacking = HEADS[name][place]
    (problem,) = missing_audio_weights.check(
        evidence_of(name, shapes={k: v for k, v in SHAPES[name].items() if k != lacking})
    )
    assert problem.severity is Severity.CRITICAL
    assert lacking.removeprefix("model.") in problem.message


@every
@pytest.mark.parametrize("place", [0, 1])
def test_a_row_too_many_is_a_mismatch(name, place):
    wrong = HEADS[name][place]
    first, *rest = SHAPES[name][wrong]
    found = messages(config_mismatch, evidence_of(name, shapes={**SHAPES[name], wrong: (first + 1, *rest)}))
    assert len(found) == 1
    assert wrong in found[0]
    assert f"{first + 1:,}" in found[0]
    assert f"{first:,}" in found[0]


def test_ids_that_the_configuration_leaves_out_are_named():
    config = {**CONFIGS["higgs_audio_v2"], "codebook_size": V - 2}
    (message,) = messages(config_mismatch, evidence_of("higgs_audio_v2", config=config))
    assert f"{K} codebooks of {V} ids each, so that config.json leaves out 2 ids a codebook, BOS and EOS" in message
    config = {**CONFIGS["higgs_audio"], "audio_codebook_size": V}
    (message,) = messages(config_mismatch, evidence_of("higgs_audio", config=config))
    assert "counts 2 ids a codebook, BOS and EOS, that have no row" in message


def test_another_number_of_codebooks_is_named():
    config = {**CONFIGS["higgs_audio_v2"], "num_codebooks": K + 1}
    (message,) = messages(config_mismatch, evidence_of("higgs_audio_v2", config=config))
    assert f"{K} codebooks of {V} ids, where config.json says {K + 1}" in message
    decoder = {**CONFIGS["musicgen"]["decoder"], "num_codebooks": K - 1}
    found = messages(config_mismatch, evidence_of("musicgen", config={**CONFIGS["musicgen"], "decoder": decoder}))
    assert len(found) == 2
    assert all(f"there are {K} tensors" in message and f"there are {K - 1}" in message for message in found)


def test_widths_and_vocabularies_are_compared():
    config = {**CONFIGS["higgs_audio_v2"], "hidden_size": H * 2, "vocab_size": WORDS + 1}
    found = messages(config_mismatch, evidence_of("higgs_audio_v2", config=config))
    assert any(f"hidden_size {H * 2}" in message for message in found)
    assert any(f"vocab_size {WORDS + 1}" in message for message in found)


def test_layers_without_an_audio_path_are_not_asked_for_one():
    config = {**CONFIGS["higgs_audio"], "audio_dual_ffn_layers": [0, 1, 2]}
    (message,) = messages(missing_audio_weights, evidence_of("higgs_audio", config=config))
    assert "5 of 15 tensors of the audio FFN" in message
    assert "layers.1.audio_mlp" in message
    stacked = {**config, "audio_adapter_type": "stack"}
    assert messages(missing_audio_weights, evidence_of("higgs_audio", config=stacked)) == []


def test_one_of_two_tied_tables_is_enough():
    first, second = HEADS["csm"][1], "depth_decoder.model.embed_tokens.weight"
    shapes = {second if name == first else name: shape for name, shape in SHAPES["csm"].items()}
    assert messages(missing_audio_weights, evidence_of("csm", shapes=shapes)) == []
    untied = {**CONFIGS["csm"], "tie_codebooks_embeddings": False}
    (message,) = messages(missing_audio_weights, evidence_of("csm", config=untied))
    assert second in message


def test_quantised_tensors_of_other_names_and_shapes_are_not_judged():
    shapes = {name.replace(".weight", ".qweight"): shape for name, shape in SHAPES["higgs_audio_v2"].items()}
    evidence = evidence_of("higgs_audio_v2", shapes=shapes)
    assert messages(missing_audio_weights, evidence) == messages(config_mismatch, evidence) == []


HOSTILE = ["8", -1, 0, 1 << 40, 1.5, None, [], {}, True]


@every
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_no_setting_is_believed_to_be_a_number(name, value):
    def spoilt(config):
        return {key: spoilt(each) if isinstance(each, dict) else value for key, each in config.items()}

    for config in (spoilt(CONFIGS[name]), dict.fromkeys(CONFIGS[name], value)):
        found = registry.load(FOLDER, name).expected({**config, "num_hidden_layers": 10**9})
        assert len(found) < 10_000
        assert not any(axis.length > 1 << 62 for each in found for axis in each.shape if axis)


def test_layers_that_are_quantised_beside_norms_that_are_not_are_there():
    shapes = {
        name.replace(".weight", ".qweight") if "_proj" in name else name: shape
        for name, shape in SHAPES["higgs_audio_v2"].items()
    }
    assert messages(missing_audio_weights, evidence_of("higgs_audio_v2", shapes=shapes)) == []
