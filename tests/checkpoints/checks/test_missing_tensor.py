"""Layers that lack something, and models that are built so."""

import pytest

from audioloss_cli import registry
from audioloss_cli.checkpoints.checks import missing_tensor, non_finite_state
from audioloss_cli.checkpoints.families import FOLDER
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.model import Severity
from tests.checkpoints.checks.evidences import FILE, IN_A_LAYER, stacked, with_state

UP = IN_A_LAYER[2]


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (stacked({3: (UP,)}), "1 tensor that every other layer has is missing: layers.3.mlp.up_proj.weight"),
        (stacked({}, [0, 1, 2, 4, 5]), "layers are missing: layers.3"),
        (stacked({}, range(4), num_hidden_layers=6), "layers are missing: layers.4, layers.5"),
    ],
)
def test_what_is_lost_is_named(evidence, words):
    (problem,) = missing_tensor.check(evidence)
    assert (problem.severity, problem.message) == (Severity.CRITICAL, words)
    assert missing_tensor.passed(evidence) == ""


@pytest.mark.parametrize(
    "evidence",
    [
        stacked({}, num_hidden_layers=6),
        stacked({0: (UP,)}),  # the first layer is dense in a mixture of experts
        stacked({5: (UP,)}),  # the last stage of Swin has nothing to merge
        stacked({1: (UP,), 3: (UP,)}),  # layers of two kinds take turns
        stacked(dict.fromkeys(range(8), IN_A_LAYER[1:]), [0, 2, 4, 6]),  # a sequence with activations between
        stacked({}, range(3), num_hidden_layers=24),  # the layers of a projector, in a file without the model
    ],
)
def test_what_is_built_so_is_no_loss(evidence):
    assert list(missing_tensor.check(evidence)) == []


def test_a_second_moment_that_is_infinite_is_a_warning():
    (problem,) = non_finite_state.check(with_state(infinite=2))
    assert (problem.severity, "2 of 8" in problem.message) == (Severity.WARNING, True)
    assert non_finite_state.passed(with_state(zero=8)) == "no NaN and no infinity in 1 tensor of optimizers"


@pytest.mark.parametrize("name", ["model.embed_tokens.weight", "embed_tokens.weight"])
def test_a_model_that_text_cannot_go_into(name):
    config = {"model_type": "higgs_audio_v2", "vocab_size": 9, "hidden_size": 2}
    evidence = stacked({}, **config)
    evidence.family = registry.load(FOLDER, "higgs_audio_v2")
    (problem,) = missing_tensor.check(evidence)
    assert problem.message == "the embeddings of the text are missing"
    evidence.checkpoint.tensors[name] = StoredTensor(name, "BF16", (9, 2), FILE, 0)
    assert list(missing_tensor.check(evidence)) == []
