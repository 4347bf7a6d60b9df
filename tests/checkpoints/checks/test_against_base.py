"""What the checks say of changes since the base: which freezes are faults, and which are choices."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.checks import (
    audio_unchanged,
    codebook_unchanged,
    exploded_weights,
    nothing_changed,
    other_weights,
)
from audioloss_cli.checkpoints.comparison import Comparison, TensorChange
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import family_of
from audioloss_cli.model import Severity
from tests.checkpoints.checks.of_models import MOVED, SAME, compared
from tests.checkpoints.checks.test_contract import assert_sound
from tests.checkpoints.families.tiny_shapes import FAMILIES, HEADS, SHAPES, V, checkpoint

HEAD, TABLE = HEADS["higgs_audio_v2"]
NORMS = ("layernorm", "norm.weight")


def against(family="higgs_audio_v2", same=(), steps=100, **more):
    """A checkpoint of which those tensors are the base's that have one of these words in their names."""
    found = checkpoint(family, step=steps, **more)
    changes = {name: SAME if any(word in name for word in same) else MOVED for name in found.tensors}
    return CheckpointEvidence(found, family_of(found.config, found.tensors), {}, Comparison("base", steps, changes))


def only(family, *changed, **more):
    """The same where nothing but those changed."""
    evidence = against(family, **more)
    names = evidence.checkpoint.tensors
    evidence.comparison.changes = {name: MOVED if any(word in name for word in changed) else SAME for name in names}
    return evidence


def severities(check, evidence):
    return [problem.severity for problem in check.check(evidence)]


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_was_trained_nothing_is_found(family):
    findings, passed = run_checks(against(family))
    assert findings == []
    assert {"audio-unchanged", "codebook-unchanged", "nothing-changed", "other-weights"} <= passed.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_that_is_still_the_base_s_is_critical(family):
    evidence = against(family)
    heads = [name for name in evidence.checkpoint.tensors if audio_unchanged.changes_of(evidence).of("head").get(name)]
    evidence.comparison.changes |= dict.fromkeys(heads, SAME)
    (problem,) = audio_unchanged.check(evidence)
    assert problem.severity is Severity.CRITICAL
    assert "the audio head is bit by bit the base's after 100 steps" in problem.message
    assert problem.evidence["unchanged"] == ["head"]


@pytest.mark.parametrize(
    ("same", "severity"),
    [
        (("audio_lm_head", "embed_audio", "audio_mlp"), Severity.CRITICAL),
        (("embed_audio",), Severity.WARNING),
        (("audio_mlp",), Severity.WARNING),
        (("embed_tokens.weight", "mlp.", "text_lm_head"), Severity.WARNING),  # audio_mlp. as well
        (("model.embed_tokens", "text_lm_head", "layers.0."), None),  # text and the lower layers
        (("norm",), None),
    ],
)
def test_freezes_of_a_full_training(same, severity):
    assert severities(audio_unchanged, against(same=same)) == ([severity] if severity else [])


@pytest.mark.parametrize(
    "changed", [("model.embed_tokens",), (".mlp.", ".post_attention_layernorm"), ("embed_tokens.w",)]
)
def test_the_text_alone(changed):
    (problem,) = audio_unchanged.check(only("higgs_audio_v2", *changed))
    assert problem.severity is Severity.CRITICAL
    assert "the text alone changed" in problem.message
    (encoders,) = audio_unchanged.check(only("musicgen", "text_encoder."))
    assert "encoders alone changed" in encoders.message


def test_what_a_lora_that_was_merged_leaves_alone_is_a_choice():
    (problem,) = audio_unchanged.check(only("higgs_audio_v2", "q_proj"))
    assert problem.severity is Severity.INFO
    assert "as of a LoRA" in problem.message
    assert severities(audio_unchanged, only("higgs_audio_v2", "q_proj", "audio_lm_head")) == [Severity.INFO]
    assert severities(audio_unchanged, only("higgs_audio_v2", "_proj")) == [Severity.WARNING]  # or is the head frozen?


def test_a_head_and_tables_above_frozen_layers_are_a_choice():
    assert severities(audio_unchanged, only("higgs_audio_v2", "audio_lm_head", "embed_audio")) == [Severity.INFO]
    assert severities(audio_unchanged, only("higgs_audio_v2", "audio_lm_head")) == [Severity.WARNING]


def test_without_steps_or_a_family_nothing_is_said_of_the_audio():
    assert severities(audio_unchanged, only("higgs_audio_v2", steps=0)) == []
    evidence = against(same=("audio",))
    evidence.family = None
    assert severities(audio_unchanged, evidence) == []
    assert audio_unchanged.passed(evidence) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_one_codebook_is_named(family):
    evidence = against(family)
    expected = evidence.family.expected(evidence.checkpoint.config)
    changes = evidence.comparison.changes
    for each in expected:
        for front in ("", "model."):
            shape = SHAPES[family].get(front + each.name)
            if shape is not None and each.group == "head" and each.books:
                rows, at = shape[0] // each.books, 2 - each.first_book
                if each.books > 1:
                    changes[front + each.name] = replace(MOVED, same=rows, same_runs=((at * rows, at * rows + rows),))
                elif at == 0:
                    changes[front + each.name] = SAME
    (problem,) = codebook_unchanged.check(evidence)
    assert problem.severity is Severity.CRITICAL
    assert "the rows of codebook 2 in the audio head" in problem.message
    assert problem.evidence["unchanged"] == [2]
    assert problem.evidence["changed"] == [0, 1, 3]


def test_some_rows_of_a_codebook_are_codes_that_were_never_met():
    evidence = against()
    evidence.comparison.changes[TABLE] = replace(MOVED, same=V, same_runs=((1, V + 1),))
    assert severities(codebook_unchanged, evidence) == []
    evidence.comparison.changes[TABLE] = replace(MOVED, same=V, same_runs=((0, V + 1),))
    assert severities(codebook_unchanged, evidence) == [Severity.WARNING]


def test_two_copies_are_said_to_be_the_same():
    for steps, severity in ((100, Severity.CRITICAL), (None, Severity.WARNING)):
        (problem,) = nothing_changed.check(only("csm", "no such name", steps=steps))
        assert problem.severity is severity
        assert "are bit by bit the same" in problem.message
    assert severities(nothing_changed, only("csm", "no such name", steps=0)) == []
    evidence = only("csm", "no such name")
    evidence.comparison.only_here = ["a.lora_A.weight"]
    assert severities(nothing_changed, evidence) == []


@pytest.mark.parametrize(("norm", "severity"), [(9.0, None), (11.0, Severity.WARNING), (2000.0, Severity.CRITICAL)])
def test_matrices_that_went_far_away(norm, severity):
    evidence = against()
    evidence.comparison.changes[HEAD] = TensorChange(norm, 1.0, is_same=False)
    assert severities(exploded_weights, evidence) == ([severity] if severity else [])


@pytest.mark.parametrize("name", ["model.norm.weight", HEAD])
def test_vectors_and_matrices_that_began_next_to_zero_may_go_far(name):
    evidence = against()
    evidence.comparison.changes[name] = TensorChange(5.0, 0.1 if "norm" in name else 1e-9, is_same=False)
    assert severities(exploded_weights, evidence) == []


def test_what_could_not_be_compared_is_told():
    evidence = against()
    evidence.comparison.changes, evidence.comparison.only_there = {}, ["x"]
    assert severities(other_weights, evidence) == [Severity.WARNING, Severity.INFO]
    for more in ({"reshaped": [HEAD]}, {"unread": {HEAD: "it is too short"}}):
        assert severities(other_weights, compared(**more)) == [Severity.WARNING]
    assert severities(other_weights, compared(only_here=["a.lora_A.weight"])) == [Severity.INFO]


CHANGES = st.builds(
    TensorChange,
    norm=st.floats() | st.just(0.0),
    base_norm=st.floats() | st.just(0.0),
    is_same=st.booleans(),
    same=st.integers(0, 50),
    same_runs=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60)), max_size=3).map(tuple),
)


@given(st.sampled_from(FAMILIES), st.data())
def test_no_check_minds_any_comparison(family, data):
    evidence = against(family, steps=data.draw(st.none() | st.integers(-3, 3)))
    names = data.draw(st.lists(st.sampled_from([*SHAPES[family], "gone.weight"]), unique=True, max_size=9))
    evidence.comparison.changes = {name: data.draw(CHANGES) for name in names}
    evidence.comparison.only_here = data.draw(st.lists(st.sampled_from([*SHAPES[family]]), max_size=2))
    assert not any(math.isnan(each) for each in exploded_weights._ratios(evidence).values())
    assert_sound(*run_checks(evidence))


def test_two_trainings_that_are_at_the_same_step_are_compared_like_any_other_two():
    evidence = against(same=("audio_lm_head",), steps=0)
    assert severities(audio_unchanged, evidence) == [Severity.CRITICAL]


def test_a_copy_of_the_same_step_is_said_to_be_one_unless_it_lies_beside():
    evidence = only("higgs_audio_v2", steps=0)
    evidence.comparison.path = str(evidence.checkpoint.path.parent / "last")
    assert severities(nothing_changed, evidence) == []
    evidence.comparison.path = "other_run/checkpoint-100"
    (problem,) = nothing_changed.check(evidence)
    assert problem.severity is Severity.WARNING
    assert problem.message.endswith("those of other_run/checkpoint-100, of the same step: one is a copy of the other")
