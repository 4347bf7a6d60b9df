"""An examination leaves no trace in the model that is trained."""

import copy

import pytest
import torch
from torch.nn.functional import linear

from audioloss_cli.training import AudioLossGuard
from tests.training import loops

BROKEN = 5


class Merging(torch.nn.Linear):
    """Merges its weights for evaluation, as the layers of loralib do."""

    def __init__(self, usual):
        super().__init__(usual.in_features, usual.out_features, bias=usual.bias is not None)
        self.load_state_dict(usual.state_dict())
        self.weight.requires_grad = False
        self.more = torch.nn.Parameter(torch.randn_like(self.weight) / 30)
        self.merged, self.was_merged = False, []

    def train(self, mode=True):
        super().train(mode)
        if self.merged is mode:
            self.weight.data += -self.more.data if mode else self.more.data
            self.merged = not mode
        return self

    def forward(self, hidden):
        self.was_merged.append(self.merged)
        return linear(hidden, self.weight if self.merged else self.weight + self.more, self.bias)


def merging_model():
    """With a merging layer, and one that is frozen in evaluation mode."""
    net = loops.model(attention_dropout=0.1)
    attention = net.model.layers[0].self_attn
    attention.q_proj = Merging(attention.q_proj)
    net.train()
    net.model.layers[0].mlp.eval()
    return net


def trained(net, guard, steps=8):
    """Losses of a loop that is broken at a step; gradients are left as they are after it."""
    optimizer = torch.optim.AdamW([each for each in net.parameters() if each.requires_grad], lr=1e-2)
    torch.manual_seed(3)
    losses = []
    for step in range(1, steps + 1):
        batch = loops.sample(step, masked=step == BROKEN)
        outputs = net(**batch)
        optimizer.zero_grad()
        outputs.loss.backward()
        if step != BROKEN:
            optimizer.step()
        losses.append(outputs.loss.detach().clone())
        if guard is not None:
            guard.step(outputs.loss, batch=batch, outputs=outputs)
    return losses


def everything(net):
    """All that an examination could change, and the next random number."""
    weights = {name: each.clone() for name, each in net.state_dict().items()}
    gradients = {name: each.grad for name, each in net.named_parameters()}
    wanted = {name: each.requires_grad for name, each in net.named_parameters()}
    modes = {name: each.training for name, each in net.named_modules()}
    return weights, gradients, wanted, modes, {"rng": torch.get_rng_state()}


def test_an_examination_leaves_the_training_bit_identical(tmp_path):
    torch.manual_seed(0)
    one = merging_model()
    other = copy.deepcopy(one)
    plain, state = trained(one, None), everything(one)
    guard = AudioLossGuard(model=other, directory=tmp_path)
    watched = trained(other, guard)
    layer = other.model.layers[0].self_attn.q_proj
    assert "dump" in [taken.action for taken in guard.taken]
    assert len(layer.was_merged) > 8  # it was run again
    assert not any(layer.was_merged)
    torch.testing.assert_close(watched, plain, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(everything(other), state, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("fails", [False, True])
def test_a_layer_that_merges_is_never_merged(tmp_path, fails):
    net = merging_model()
    layer = net.model.layers[0].self_attn.q_proj
    before = layer.weight.clone()
    guard = AudioLossGuard(model=net, directory=tmp_path)
    outputs = net(**loops.sample(0, masked=True))
    if fails:
        net.lm_head = torch.nn.Bilinear(2, 2, 2)  # cannot be run again
        net.train()
        net.model.layers[0].mlp.eval()
    guard.step(outputs.loss, batch=loops.sample(0, masked=True), outputs=outputs)
    assert torch.equal(layer.weight, before)
    assert not layer.merged
    assert net.training
    assert not net.model.layers[0].mlp.training
