"""Which batch keys reach a model, through its wrappers."""

import functools

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from audioloss_cli.probe.model_io.signature import accepted, kept_by_trainer, unwrapped
from tests.probe import broken, custom, tiny

ALWAYS = {"label", "label_ids"}


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, codes: Tensor, *, labels: Tensor | None = None) -> Tensor:
        return self.layer(codes)


class Open(Named):
    def forward(self, codes: Tensor, **more: Tensor) -> Tensor:
        return self.layer(codes)


class Anonymous(Named):
    def forward(self, *args: Tensor, **more: Tensor) -> Tensor:
        return self.layer(*args)


class PositionalOnly(Named):
    def forward(self, codes: Tensor, /, labels: Tensor | None = None) -> Tensor:
        return self.layer(codes)


class DistributedDataParallel(nn.Module):
    """Shaped as torch's own, which wants a process group."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor, **more: Tensor) -> Tensor:
        return self.module(*inputs, **more)


@pytest.mark.parametrize(
    ("model", "takes", "kept"),
    [
        (Named(), {"codes", "labels"}, {"codes", "labels"}),
        (Open(), None, {"codes"}),
        (Anonymous(), None, set()),
        (PositionalOnly(), {"labels"}, {"labels"}),
        (lambda codes, labels: codes, {"codes", "labels"}, {"codes", "labels"}),
        (functools.partial(Named().forward, labels=None), {"codes", "labels"}, {"codes", "labels"}),
    ],
    ids=["named", "open", "anonymous", "positional only", "function", "partial"],
)
def test_what_a_forward_names(model, takes, kept):
    assert accepted(model) == takes
    assert kept_by_trainer(model) == kept | ALWAYS


def test_what_has_no_signature_takes_anything_and_names_nothing():
    assert accepted(type) is None
    assert kept_by_trainer(type) == ALWAYS


def lora(model: nn.Module, target: str) -> nn.Module:
    return get_peft_model(model, LoraConfig(target_modules=[target], r=2))


def test_a_trainer_looks_through_peft():
    wrapped = lora(Named(), "layer")
    assert accepted(wrapped) is None
    assert kept_by_trainer(wrapped) == {"codes", "labels"} | ALWAYS
    assert isinstance(unwrapped(wrapped), Named)


def test_a_trainer_looks_through_nothing_else():
    inner = Named()
    for wrapper in (DistributedDataParallel(inner), broken.Anonymous(inner)):
        assert kept_by_trainer(wrapper) == ALWAYS
    assert unwrapped(DistributedDataParallel(inner)) is inner


def test_torch_compile_keeps_the_signature():
    compiled = torch.compile(Named(), backend="eager")  # nothing is compiled before it is called
    assert isinstance(unwrapped(compiled), Named)
    assert accepted(unwrapped(compiled)) == {"codes", "labels"}


def test_wrappers_in_wrappers():
    wrapped = DistributedDataParallel(torch.compile(lora(Named(), "layer"), backend="eager"))
    assert isinstance(unwrapped(wrapped), Named)


def test_a_wrapper_of_itself_ends():
    model = Named()
    object.__setattr__(model, "_orig_mod", model)
    assert unwrapped(model) is model


def test_real_models():
    assert {"audio_input_ids", "audio_input_ids_mask", "audio_labels"} <= kept_by_trainer(tiny.model())
    assert kept_by_trainer(broken.Anonymous(tiny.model())) == ALWAYS
    assert {"audio_out_ids", "label_audio_ids"} <= kept_by_trainer(custom.with_lora())
