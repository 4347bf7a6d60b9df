"""The short way of a step comes to what the long way comes to."""

import gc
import json
import math
import weakref
from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.modeling_outputs import CausalLMOutputWithPast

from audioloss_cli.training import AudioLossGuard, Policy, calm
from tests.effort import examples, exhaustive
from tests.training import loops

EARLY = calm._EARLY  # before tests make it less
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
@settings(max_examples=examples(40))
@given(values=st.lists(VALUES, max_size=40), batch=st.sampled_from([None, "plain", "text"]))
def test_both_ways_come_to_the_same(form, batch, values):
    given_batch = {**loops.sample(1), **({"labels": torch.ones(1, 3)} if batch == "text" else {})} if batch else None
    came = [_came_to(values, form, given_batch, short=short) for short in (True, False)]
    assert came[0] == came[1]


@settings(max_examples=examples(200))
@given(steps=st.lists(st.tuples(VALUES, st.sampled_from(list(forms(1.0)))), max_size=30))
def test_outputs_may_change_from_step_to_step(steps):
    assert _came_to(steps, None, None, short=True) == _came_to(steps, None, None, short=False)


def _came_to(values, form, batch, *, short):
    """Alerts, and the state but for the wall times; without a form, each value comes with its own."""
    guard, told = AudioLossGuard(policy=SILENT, jsonl=False, at_once=7, first_batches=1), []
    for each in values:
        given_form = forms(each[0])[each[1]] if form is None else forms(each)[form]
        if short:
            told += guard.step(batch=batch, **given_form)
        else:
            guard.collect(batch=batch, **given_form)
            told += guard.close()
    told += guard.flush()
    return [(each.code, each.step, each.edge, each.message) for each in told], repr(timeless(guard.state_dict()))


def timeless(state):
    if isinstance(state, dict):
        return {name: timeless(value) for name, value in state.items()}
    if isinstance(state, list):
        return [timeless(each) for each in state]
    return "a time" if isinstance(state, float) and state > LONG_AGO else state


@pytest.mark.parametrize("form", ["float", "tensor", "dict", "output", "named", "codebooks"])
def test_a_calm_step_goes_the_short_way(form):
    guard, long = AudioLossGuard(jsonl=False, first_batches=1), []
    collect, guard.collect = guard.collect, lambda *args, **kwargs: (long.append(args), collect(*args, **kwargs))
    for step in range(100):
        guard.step(**forms(5 + 0.01 * (step % 7))[form])
    assert len(long) < 10  # the first ones


def test_a_batch_of_the_short_way_is_at_hand_at_an_alert():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=1)
    cases = []
    guard.responder.instead = lambda batch, alert: cases.append(batch)
    guard.responder.policy = Policy(critical=("stop",))
    batches = [{**loops.sample(1), "number": number} for number in range(12)]
    for number, batch in enumerate(batches):
        guard.step(math.nan if number == 9 else 5 + 0.01 * (number % 7), batch=batch)
    assert [batch["number"] for batch in cases] == [9]


def test_an_alert_that_comes_late_has_a_batch_from_about_its_step(tmp_path):
    rules = {"chance-level": {"steps": 500}}
    guard = AudioLossGuard(directory=tmp_path, rules=rules, first_batches=2, at_once=128)
    for step in range(1, 700):
        guard.step(math.log(1026) + 0.001 * (step % 7), batch={"number": torch.tensor(step)})
    (dump,) = tmp_path.glob("step-504-*.json")
    number = json.loads(dump.read_text())["batches"][0]["entries"]["model_inputs"]["entries"]["number"]["min"]
    assert 504 - 128 < number < 504 + 128
    assert f"the batch is that of step {number:.0f}" in json.loads(dump.read_text())["notes"]


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
def test_what_goes_wrong_and_stays_so_is_said_at_its_step(before, onset, after, code, monkeypatch):
    monkeypatch.setattr(calm, "_EARLY", EARLY)
    guard, said = AudioLossGuard(policy=SILENT, jsonl=False), []
    for step in range(1, onset + 100):
        value = (before if step < onset else after) * (1 + 0.002 * (step % 7))
        said += [(alert.code, alert.step, step) for alert in guard.step(value) if alert.edge == "fired"]
    (first, *_) = said
    assert first[0] == code
    assert onset <= first[1] <= first[2] < onset + 10
    assert onset < 100 or first[1] == first[2]  # while what is usual is not known, a few wait


@pytest.mark.parametrize("form", ["named", *exhaustive("float", "codebooks")])
def test_a_thousand_at_once_come_to_what_each_by_itself_does(form):
    came = []
    for at_once in (1, 1024):
        guard, told = AudioLossGuard(policy=SILENT, jsonl=False, at_once=at_once, first_batches=0), []
        for step in range(1, 3600):
            value = {2500: math.nan, 2900: 40.0}.get(step, 5 + 0.002 * (step * 7919 % 101))
            told += guard.step(**forms(value)[form])
        told += guard.flush()
        assert len(guard._watch.monitors) == (9 if form == "codebooks" else 1)
        came.append((sorted((each.step, each.code, each.message) for each in told), repr(timeless(guard.state_dict()))))
    assert came[0][0]
    assert came[0] == came[1]


def test_after_ten_seconds_nothing_waits_any_longer(monkeypatch):
    now = [1.0e9]
    for module in ("calm", "short_way"):
        monkeypatch.setattr(f"audioloss_cli.training.{module}.time", lambda: now[0])
    guard, waiting = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0), []
    for step in range(200):
        now[0] += 0.3
        guard.step(5 + 0.01 * (step % 7))
        waiting.append(len(guard._watch.calm.waiting))
    assert max(waiting) == 33
    assert waiting.count(0) > 4


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


def test_several_micro_batches_go_the_long_way():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for _ in range(4):
        guard.step(5.0)
        guard.step(4.0, sync_gradients=False)
        guard.step(6.5)
    assert [value for _, value, _ in (guard.flush(), guard._watch.points)[1]] == [5.0, 5.25] * 4


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


@pytest.mark.parametrize(
    ("made", "complaint"), [({"at_once": 0}, "at_once must be"), ({"first_batches": -1}, "first_batches must not")]
)
def test_settings_that_make_no_sense(made, complaint):
    with pytest.raises(ValueError, match=complaint):
        AudioLossGuard(**made)
