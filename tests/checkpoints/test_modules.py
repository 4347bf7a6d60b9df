"""Tensors are taken together by modules that a person can read."""

import math
from pathlib import Path

import pytest

from audioloss_cli.checkpoints.comparison import Comparison, TensorChange
from audioloss_cli.checkpoints.modules import modules_of, summaries
from tests.checkpoints.checks.evidences import HEAD, MLP, NORM, SHAPES, seen


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("audio_lm_head.weight", "audio_lm_head"),
        ("audio_head", "audio_head"),
        ("layers.12.audio_mlp.up_proj.weight", "layers.*.audio_mlp"),
        ("layers.12.audio_mlp.up_proj.base_layer.weight", "layers.*.audio_mlp"),
        ("model.layers.3.input_layernorm.weight", "model.layers.*.input_layernorm"),
        ("model.layers.3.mlp.experts.17.up_proj.weight", "model.layers.*.mlp"),
        ("lm_heads.7.weight", "lm_heads.*"),
        ("audio_tower.encoder.blocks.conv.down.weight", "audio_tower.encoder.blocks"),
        ("", ""),
    ],
)
def test_a_module_is_named_so(name, module):
    assert modules_of([name, "z.bias"])[name] == module


def test_what_a_wrapper_puts_in_front_is_left_out():
    names = ["base_model.model.layers.0.mlp.up.weight", "base_model.model.head.weight"]
    assert list(modules_of(names).values()) == ["layers.*.mlp", "head"]
    assert modules_of(["model.head.weight"]) == {"model.head.weight": "head"}


def test_never_more_than_two_hundred():
    by_depth = modules_of(f"a{index % 9}.b{index}.weight" for index in range(1000))
    assert set(by_depth.values()) == {f"a{index}" for index in range(9)}
    assert len(set(modules_of(f"a{index}.weight" for index in range(1000)).values())) == 200


def test_norms_counts_and_faults_of_a_module_are_those_of_its_tensors():
    evidence = seen({MLP: {"nan": 1}, HEAD: {"norm": 3.0, "is_constant": True}})
    found = {each.name: each for each in summaries(evidence)}
    assert list(found) == sorted(found)
    assert sum(each.tensors for each in found.values()) == len(SHAPES)
    head = found["audio_head"]
    assert (head.tensors, head.parameters, head.dtypes) == (1, math.prod(SHAPES[HEAD]), ("BF16",))
    assert (head.norm, head.faults, head.unchanged) == (3.0, 1, 0)
    attention = found["layers.*.self_attn"]
    assert attention.tensors == 3
    assert attention.norm == pytest.approx(
        math.hypot(*(evidence.statistics[name].norm for name in SHAPES if "attn" in name))
    )
    assert math.isnan(found["layers.*.audio_mlp"].norm)
    assert found["layers.*.audio_mlp"].faults == 1
    assert found["layers.*.input_layernorm"].faults == 0


def test_change_is_relative_to_the_base():
    evidence = seen()
    evidence.comparison = Comparison(
        "base", changes={HEAD: TensorChange(1.0, 4.0, False), NORM: TensorChange(0.0, 4.0, True)}
    )
    found = {each.name: each for each in summaries(evidence)}
    assert (found["audio_head"].change, found["audio_head"].unchanged) == (0.25, 0)
    assert (found["layers.*.input_layernorm"].change, found["layers.*.input_layernorm"].unchanged) == (0.0, 1)
    assert math.isnan(found["text_head"].change)


def test_headers_alone_have_no_norms():
    evidence = seen()
    evidence.statistics = {}
    assert all(math.isnan(each.norm) and not each.faults for each in summaries(evidence))
    assert summaries(seen(tensors={}, path=Path("x"))) == []
