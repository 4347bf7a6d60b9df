"""Weights of a checkpoint of transformers, back in the model that is trained."""

import math

import pytest
import torch
from safetensors.torch import save_file

from audioloss_cli.training import ActionError, AudioLossGuard, Policy
from audioloss_cli.training.response.restore import load_weights
from tests.probe import tiny_siblings
from tests.training import loops


def spoilt(model):
    with torch.no_grad():
        for each in model.parameters():
            each.fill_(float("nan"))
    return model


def copied(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("make", [loops.model, tiny_siblings.csm_model, tiny_siblings.moshi_model])
def test_whatever_names_transformers_saves_them_under(make, tmp_path):
    """CSM holds a codec whose names in a file are those of old."""
    model = make()
    before = copied(model)
    model.save_pretrained(tmp_path)
    load_weights(spoilt(model), tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("prefixed", [False, True])
def test_a_compiled_model(tmp_path, prefixed):
    model = loops.model()
    before = copied(model)
    compiled = torch.compile(model, backend="eager")
    if prefixed:  # as the Trainer saves it
        save_file({name: each.clone() for name, each in compiled.state_dict().items()}, tmp_path / "model.safetensors")
    else:
        model.save_pretrained(tmp_path)
    spoilt(model)
    load_weights(compiled, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_nothing_of_another_model_is_loaded(tmp_path):
    other = loops.model(1)
    other.register_buffer("more", torch.zeros(2))
    other.save_pretrained(tmp_path)
    model = loops.model()
    before = copied(model)
    with pytest.raises(ActionError, match="is of another model: this one has no more"):
        load_weights(model, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("kind", ["AdamW", "SGD", "Adagrad", "RMSprop", "NAdam"])
def test_no_moment_of_a_nan_outlives_a_rollback_to_weights_alone(tmp_path, kind):
    """As those that a Trainer saves with save_only_model, and Lightning with save_weights_only."""
    model = torch.nn.Linear(2, 2)
    more = {"momentum": 0.9} if kind == "SGD" else {}
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.01, **more)
    guard = AudioLossGuard(policy=Policy(critical=("rollback",)), model=model, optimizer=optimizer, directory=tmp_path)

    def step(factor):
        optimizer.zero_grad()
        (model(torch.ones(1, 2)).square().sum() * factor).backward()
        optimizer.step()

    for loss in (5.0, 5.1, 5.2, math.nan):
        step(1.0 if math.isfinite(loss) else math.nan)
        if loss == 5.0:
            torch.save({"model": model.state_dict()}, tmp_path / "weights.pt")
            guard.checkpoints.add(1, tmp_path / "weights.pt")
        guard.step(loss)
    assert "weights restored, but no optimiser state" in guard.taken[0].outcome
    step(1.0)
    assert all(torch.isfinite(each).all() for each in model.parameters())
