"""Weights of a checkpoint of transformers, back in the model that is trained."""

import pytest
import torch
from safetensors.torch import save_file

from audioloss_cli.training import ActionError
from audioloss_cli.training.restore import load_weights
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
