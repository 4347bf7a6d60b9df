"""What the checks say of a LoRA by its settings and its tensors."""

from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.checks import audio_unchanged, lora_audio_untrained, lora_mismatch, lora_unchanged
from audioloss_cli.checkpoints.comparison import Comparison
from audioloss_cli.checkpoints.lora import asked_rank, pairs
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.model import Severity
from tests.checkpoints.checks.of_models import ATTENTION, MOVED, SAME, R, lora

FAMILY = registry.load("checkpoints.families", "higgs_audio_v2")
AUDIO_FFN, TEXT_FFN = "model.layers.0.audio_mlp.up_proj", "model.layers.0.mlp.up_proj"
TEXT_HEAD_V2 = "text_lm_head"


def severities(check, evidence):
    evidence.family = FAMILY
    return [problem.severity for problem in check.check(evidence)]


def saved(evidence, *names):
    for name in names:
        full = f"base_model.model.{name}"
        evidence.checkpoint.tensors[full] = StoredTensor(full, "F32", (4, 4), Path("adapter_model.safetensors"), 0)
    return evidence


@pytest.mark.parametrize(
    ("modules", "whole", "severity"),
    [
        ((ATTENTION,), (), Severity.INFO),
        ((ATTENTION, TEXT_FFN), (), Severity.INFO),
        ((TEXT_FFN, TEXT_HEAD_V2), (), Severity.WARNING),
        ((ATTENTION, AUDIO_FFN), (), None),
        ((TEXT_FFN,), ("audio_lm_head.weight",), None),
        ((TEXT_FFN,), ("model.embed_tokens.weight",), Severity.WARNING),
    ],
)
def test_what_a_lora_trains(modules, whole, severity):
    evidence = saved(lora(*modules), *whole)
    assert severities(lora_audio_untrained, evidence) == ([severity] if severity else [])
    assert bool(lora_audio_untrained.passed(evidence)) == (severity is None)


@pytest.mark.parametrize(
    ("zero", "step", "severity"),
    [
        ((), 10, None),
        ((ATTENTION, AUDIO_FFN), 10, Severity.CRITICAL),
        ((ATTENTION, AUDIO_FFN), 0, None),
        ((ATTENTION, AUDIO_FFN), None, Severity.INFO),
        ((AUDIO_FFN,), 10, Severity.WARNING),
    ],
)
def test_a_half_of_zeros_after_steps(zero, step, severity):
    evidence = lora(ATTENTION, AUDIO_FFN, zero=zero, step=step)
    assert severities(lora_unchanged, evidence) == ([severity] if severity else [])


def test_text_modules_that_no_gradient_reaches_are_a_fact():
    assert severities(lora_unchanged, lora(ATTENTION, TEXT_FFN, zero=(TEXT_FFN,))) == [Severity.INFO]


def test_of_a_table_the_other_half_begins_as_zeros():
    evidence = lora()
    for half, shape, zero in (("A", (R, 9), 0), ("B", (4, R), 4 * R)):
        name = f"base_model.model.model.embed_tokens.lora_embedding_{half}"
        evidence.checkpoint.tensors[name] = StoredTensor(name, "F32", shape, Path("a"), 0)
        evidence.statistics[name] = type("S", (), {"elements": shape[0] * shape[1], "zero": zero})()
    (pair,) = pairs(evidence.checkpoint.tensors)
    assert (pair.module, pair.is_embedding, pair.rank) == ("embed_tokens", True, R)
    assert severities(lora_unchanged, evidence) == []


def test_a_rank_that_is_not_asked_for():
    (problem,) = lora_mismatch.check(lora(ATTENTION, AUDIO_FFN, r=16, rank_pattern={"audio_mlp.up_proj": R}))
    assert problem.severity is Severity.CRITICAL
    assert f"1 LoRAs are of rank {R}, and adapter_config.json says 16: {ATTENTION}" in problem.message


@pytest.mark.parametrize("pattern", ["(a+)+$", "[a-z]*", "x{1,99}", "(", "a|b", "\\d"])
def test_a_pattern_that_may_take_for_ever_is_not_searched(pattern):
    assert asked_rank("a" * 50, {"r": 8, "rank_pattern": {pattern: 2}}) in (None, 8)


def test_half_a_lora_and_halves_of_two_ranks():
    evidence = lora(ATTENTION, AUDIO_FFN)
    lost = next(name for name in evidence.checkpoint.tensors if name.endswith("up_proj.lora_B.weight"))
    del evidence.checkpoint.tensors[lost]
    (problem,) = lora_mismatch.check(evidence)
    assert "1 of 2 LoRAs lack a half" in problem.message
    evidence = lora(ATTENTION)
    name = f"base_model.model.{ATTENTION}.lora_B.weight"
    evidence.checkpoint.tensors[name] = StoredTensor(name, "F32", (16, R + 1), Path("a"), 0)
    (problem,) = lora_mismatch.check(evidence)
    assert f"two ranks, such as {R} and {R + 1}" in problem.message


@pytest.mark.parametrize(
    ("setting", "named", "severity"),
    [
        ("modules_to_save", ["audio_lm_head"], Severity.WARNING),
        ("target_modules", ["q_proj", "c_attn"], Severity.INFO),
        ("target_modules", ["q_proj", "audio_lm_head"], Severity.WARNING),
        ("target_modules", ["q_proj"], None),
        ("target_modules", ".*_proj", None),
    ],
)
def test_modules_that_are_named_and_not_there(setting, named, severity):
    assert severities(lora_mismatch, lora(ATTENTION, **{setting: named})) == ([severity] if severity else [])


def test_a_head_that_is_saved_whole_and_is_still_the_base_s():
    evidence = saved(lora(ATTENTION, modules_to_save=["audio_lm_head"]), "audio_lm_head.weight")
    head = "base_model.model.audio_lm_head.weight"
    evidence.comparison = Comparison("base", 100, {head: SAME}, only_here=["a"], only_there=["b"])
    assert severities(audio_unchanged, evidence) == [Severity.CRITICAL]
    evidence.comparison.changes = {head: MOVED}
    assert severities(audio_unchanged, evidence) == []


def test_weights_that_a_lora_is_added_to_are_frozen_on_purpose():
    evidence = lora("audio_lm_head")
    base = "base_model.model.audio_lm_head.base_layer.weight"
    evidence.checkpoint.tensors[base] = StoredTensor(base, "F32", (4, 4), Path("a"), 0)
    evidence.comparison = Comparison("base", 100, {base: SAME})
    assert severities(audio_unchanged, evidence) == []


def test_a_healthy_adapter_is_ruled_out_by_each():
    evidence = lora(ATTENTION, AUDIO_FFN, target_modules=["q_proj", "up_proj"])
    evidence.family = FAMILY
    findings, passed = run_checks(evidence)
    assert [finding for finding in findings if finding.severity is not Severity.INFO] == []
    assert {"lora-audio-untrained", "lora-mismatch", "lora-unchanged"} <= passed.keys()
