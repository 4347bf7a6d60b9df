"""A step of a loop: forms of losses, the batch at hand, and the step at which what goes wrong is said."""

import gc
import math
import weakref
from collections import OrderedDict

import pytest
import torch
from hypothesis import strategies as st
from transformers.modeling_outputs import CausalLMOutputWithPast

from audioloss_cli.training import AudioLossGuard, Policy
from tests.training import loops

LONG_AGO = 1e9  # Unix seconds
SILENT = Policy(critical=(), warning=())
VALUES = st.one_of(st.floats(1, 8), st.sampled_from([math.nan, 0.0, 0.004, 3.0]))


def forms(value):
    """Ways to give a loss, some of them awkward."""
    one, books = torch.tensor(value, requires_grad=True), torch.full((8,), value) + torch.linspace(0, 0.5, 8)
    return {
        "float": {"loss": value},
        "tensor": {"loss": one},
        "half": {"loss": one.bfloat16()},
        "of one": {"loss": one.reshape(1)},
        "dict": {"outputs": {"loss": one, "logits": 0}},
        "dict and loss": {"loss": one, "outputs": {"loss": one}},
        "another loss": {"loss": one, "outputs": {"loss": 2 * one}},
        "output": {"outputs": CausalLMOutputWithPast(loss=one, logits=one)},
        "named": {"outputs": {"audio_loss": one, "loss": one + 1, "text_loss": one / 2}},
        "named alone": {"outputs": {"audio_loss": one}},
        "same": {"outputs": {"audio_loss": one, "loss": one}},
        "gap": {"outputs": {"audio_loss": None, "loss": one}},
        "codebooks": {"outputs": {"codebook_losses": books, "loss": books.sum()}},
        "codebooks and audio": {"outputs": {"codebook_losses": books, "audio_loss": one}},
        "many codebooks": {"outputs": {"codebook_losses": torch.cat([books, books - 0.25, books + 2])}},
        "half codebooks": {"outputs": {"codebook_losses": books.bfloat16()}},
        "whole codebooks": {"outputs": {"codebook_losses": books.nan_to_num().long()}},
        "complex codebooks": {"outputs": {"codebook_losses": books + 1j, "loss": one}},
        "a complex codebook": {"outputs": {"codebook_losses": books[:1] + 1j, "loss": one}},
        "complex text": {"outputs": {"audio_loss": one, "text_loss": one + 1j}},
        "complex total": {"outputs": {"codebook_losses": books, "loss": one + 1j}},
        "list": {"outputs": {"codebook_losses": list(books)}},
        "attributes": {"outputs": type("Outputs", (), {"audio_loss": one})()},
        "ordered": {"outputs": OrderedDict(loss=one)},
        "tuple": {"outputs": (one, 0)},
    }


@pytest.mark.parametrize("form", forms(1.0))
def test_every_form_of_a_loss_is_judged_at_its_step(form):
    """A loss that cannot be read is a TypeError or no point; any other is taken in before ``step`` returns."""
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for step, value in enumerate([5.0, 5.5, 5.25, math.nan, 5.0], 1):
        guard.step(**forms(value)[form])
        assert guard.monitor.diagnostics()["last_step"] == step
    assert guard.monitor.incidents


def timeless(state):
    if isinstance(state, dict):
        return {name: timeless(value) for name, value in state.items()}
    if isinstance(state, list):
        return [timeless(each) for each in state]
    return "a time" if isinstance(state, float) and state > LONG_AGO else state


def test_a_batch_is_at_hand_at_an_alert():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=1)
    cases = []
    guard.responder.instead = lambda batch, alert: cases.append(batch)
    guard.responder.policy = Policy(critical=("stop",))
    batches = [{**loops.sample(1), "number": number} for number in range(12)]
    for number, batch in enumerate(batches):
        guard.step(math.nan if number == 9 else 5 + 0.01 * (number % 7), batch=batch)
    assert [batch["number"] for batch in cases] == [9]


def test_batches_of_long_ago_are_let_go():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=1)
    alive = weakref.WeakSet()
    for step in range(1000):
        alive.add(loss := torch.ones(1))
        guard.step(5 + 0.01 * (step % 7), batch={"labels": loss, "step": step})
        del loss
    gc.collect()
    assert len(alive) <= 5


@pytest.mark.parametrize(
    ("before", "onset", "after", "code"),
    [(5, 3000, 50, "loss-spike"), (5, 3000, 15, "loss-spike"), (5, 3000, 0.3, "log-drop"), (7, 50, 0.15, "early-drop")],
)
def test_what_goes_wrong_and_stays_so_is_said_at_its_step(before, onset, after, code):
    guard, said = AudioLossGuard(policy=SILENT, jsonl=False), []
    for step in range(1, onset + 100):
        value = (before if step < onset else after) * (1 + 0.002 * (step % 7))
        said += [(alert.code, alert.step, step) for alert in guard.step(value) if alert.edge == "fired"]
    (first, *_) = said
    assert first[0] == code
    assert onset <= first[1] == first[2] < onset + 10


@pytest.mark.parametrize("start", [0, 3, 10])
@pytest.mark.parametrize("form", ["codebooks", "codebooks and audio", "list"])
def test_codebooks_are_watched_whatever_the_steps_are(form, start):
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for step in range(start, start + 1000, 10):  # with a start of 3, none is a multiple of 25
        guard.step(step=step, **forms(5 + 0.01 * (step % 7))[form])
    assert 33 <= guard.monitors["codebook/0"].diagnostics()["points"] <= 42


@pytest.mark.parametrize("step", [1 << 63, -(1 << 63) - 1])
def test_a_step_beyond_64_bits_is_refused_where_it_comes(step):
    guard = AudioLossGuard(jsonl=False, first_batches=0)
    for each in range(40):
        guard.step(5 + 0.01 * (each % 7))
    with pytest.raises(ValueError, match="does not fit in 64 bits"):
        guard.step(5.003, step=step)
    assert guard.monitor.diagnostics()["points"] == 40


def test_several_micro_batches_are_one_step():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for _ in range(4):
        guard.step(5.0)
        guard.step(4.0, sync_gradients=False)
        guard.step(6.5)
    assert [value for _, value, _ in (guard.flush(), guard.pipeline.watch.points)[1]] == [5.0, 5.25] * 4


def test_a_loss_that_is_not_one_number_is_named():
    guard = AudioLossGuard(jsonl=False)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"the audio loss must be one number, not a tensor of shape \(2,\)"):
            guard.step(torch.ones(2))
        guard.step(5.0)
    with pytest.raises(TypeError, match="the audio loss must be one number, not a complex one"):
        guard.step(torch.tensor(5 + 1j))
    with pytest.raises(TypeError, match="loss must be one number, not 'five'"):
        guard.step("five")
    assert guard.step(outputs={"loss": torch.ones(2), "audio_loss": torch.tensor(5.1)}) == []
    assert guard.monitor.diagnostics()["current"] == pytest.approx(5.1)


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="first_batches must not"):
        AudioLossGuard(first_batches=-1)
