"""Inside a framework the short way of a step comes to what the long way comes to, whatever happens in it."""

import math

import pytest
import torch
import torch._dynamo
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TrainerCallback

from audioloss_cli.training import (
    AudioLossCallback,
    AudioLossGuard,
    AudioLossLightning,
    AudioLossMixin,
    Policy,
    calm,
)
from audioloss_cli.training.forward_hook import ForwardHook
from audioloss_cli.training.short_way import LATER
from tests.effort import combinations, examples, exhaustive
from tests.probe import tiny
from tests.training import loops
from tests.training.test_lightning import Module, fit
from tests.training.test_short_way import VALUES, forms, timeless

SILENT = Policy(critical=(), warning=())
STEPS = 40
BATCH = loops.sample(1)


class Named(torch.nn.Module):
    """Tells its losses apart, all of them or some."""

    def __init__(self, *names):
        super().__init__()
        self.inner, self.names, self.calls = loops.model(), names, 0
        self.config = self.inner.config

    def forward(self, input_ids, audio_input_ids, audio_input_ids_mask, attention_mask=None, audio_labels=None):
        output = self.inner(input_ids, attention_mask, audio_input_ids, audio_input_ids_mask, audio_labels=audio_labels)
        self.calls += 1
        audio = output.loss / 8
        told = {
            "audio_loss": audio,
            "llm_loss": 0.5 * audio,
            "codebook_losses": audio + torch.linspace(-0.1, 0.1, 8),
        }
        return {"loss": 1.5 * audio, **{name: told[name] for name in self.names}}


class Twice(loops.InOrder):
    """Two forward passes a step, now and then."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        return 0.5 * (loss + model(**inputs).loss) if self.state.global_step % 3 == 0 else loss


class Mixed(AudioLossMixin, loops.InOrder):
    pass


class MixedTwice(AudioLossMixin, Twice):
    pass


MODELS = {
    "plain": loops.model,
    "audio": lambda: Named("audio_loss"),
    "parts": lambda: Named("audio_loss", "llm_loss", "codebook_losses"),
    "codebooks": lambda: Named("codebook_losses"),
}


def trainer(kind, directory, callback, steps, *, data=None, model=None, more=()):
    """A mixin makes a callback of its own unless it is given one."""
    return kind(
        model=model or loops.model(),
        args=loops.arguments(directory, steps),
        train_dataset=data or loops.Samples(steps),
        callbacks=[*more, callback],
    )


def twice(run, monkeypatch):
    """States and reads of the long way, of a run with calm losses and of one in which nothing is calm."""
    states, reads = [], []
    for factor in (2.0, 0.5):
        monkeypatch.setattr(calm, "_FACTOR", factor)
        count = [0]
        guard = run(lambda guard, count=count: counted(guard, count))
        states.append(repr(timeless(guard.state_dict())))
        reads.append(count[0])
    return states, reads


def counted(guard, count):
    close = guard._arrivals.take

    def take(*args):
        count[0] += 1
        return close(*args)

    guard._arrivals.take = take


EACH_TIME = [(loops.InOrder, "parts", True), (Mixed, "plain", False)]


@pytest.mark.parametrize(
    ("kind", "model", "broken"),
    [
        *combinations([loops.InOrder, Mixed], MODELS, [False, True], each_time=EACH_TIME),
        *combinations([Twice, MixedTwice], ["plain"], [False, True], each_time=[]),
    ],
)
def test_both_ways_come_to_the_same_in_a_trainer(kind, model, broken, tmp_path, monkeypatch):
    def run(watch):
        callback = AudioLossCallback(SILENT, window_size=20)
        watch(callback.guard)
        data = loops.Samples(STEPS, 21, 22, masked=True) if broken else loops.Samples(STEPS)
        trainer(kind, tmp_path, callback, STEPS, data=data, model=MODELS[model]()).train()
        return callback.guard

    states, reads = twice(run, monkeypatch)
    assert states[0] == states[1]
    assert reads[1] == STEPS
    assert kind in {Twice, MixedTwice} or broken or reads[0] < 8  # a loss of one's own goes the long way in a mixin


class Gives(torch.nn.Module):
    """What it is told to."""

    def __init__(self):
        super().__init__()
        self.config = tiny.model(**loops.SMALL).config

    def forward(self, outputs, **batch):
        return outputs


NAMES = sorted({name for name, form in forms(1.0).items() if "outputs" in form} - {"tuple", "attributes"})
LOSSES = st.one_of(*[st.floats(4, 6)] * 6, VALUES)


def seldom(value):
    return st.sampled_from([None] * 5 + [value])


def steps_of(name):
    """Mostly calm losses of one form, so that some go the short way."""
    one = st.tuples(LOSSES, st.sampled_from([name] * 5 + ["gap"]))
    step = {
        "passes": st.one_of(*[one.map(lambda each: [each])] * 4, st.tuples(one, one)),
        "after": seldom((5.5, "dict")),  # another pass, when the loss has been trained
        "text": seldom(True),
        "grad_norm": st.sampled_from([None, None, 0.5, torch.tensor(0.25), math.nan, 1]),
        "logged": seldom(3.0),
    }
    return st.lists(st.fixed_dictionaries(step), min_size=5, max_size=40)


@pytest.mark.parametrize("kind", ["callback", *exhaustive("own loss", "mixin")])
@settings(max_examples=examples(150))
@given(steps=st.sampled_from(NAMES).flatmap(steps_of), counted=st.booleans())
def test_any_forward_passes_come_to_the_same_both_ways(kind, steps, counted):
    factor, came = calm._FACTOR, []
    try:
        for calm._FACTOR in (2.0, 0.5):
            came.append(_passed(kind, steps, counted))
    finally:
        calm._FACTOR = factor
    assert came[0] == came[1]


def _passed(kind, steps, counted):
    """Alerts and the state; where what the Trainer does in between is done by hand."""
    guard, net, told = AudioLossGuard(policy=SILENT, jsonl=False, at_once=9, first_batches=1), Gives(), []
    guard.examiner.model, hook = net, ForwardHook(guard)
    hook.waits_for_loss = kind != "callback"
    hook.attach(net, None)
    for number, step in enumerate(steps, 1):
        batch = {**BATCH, **({"labels": torch.ones(1, 3)} if step["text"] else {})}
        batch |= {"num_items_in_batch": 7} if counted else {}
        for value, form in step["passes"]:
            outputs = forms(value)[form]["outputs"]
            net(outputs=outputs, **batch)
        if kind != "callback":
            own = outputs.get("loss")
            own = torch.ones(()) if own is None or own.is_complex() else own.detach()
            hook.trained(2.5 * own if kind == "own loss" else own, custom=kind == "own loss")
            assert not hook._pending  # it holds losses, and with them graphs
        if step["after"]:
            net(outputs=forms(step["after"][0])[step["after"][1]]["outputs"], **batch)
        if step["logged"]:
            told += guard.logged(step["logged"], number)
        if not guard.keep(number, step["grad_norm"]):
            told += guard.close(number, grad_norm=step["grad_norm"])
    told += guard.flush()
    return [(each.code, each.step, each.message) for each in told], repr(timeless(guard.state_dict()))


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize(
    ("kind", "broken"),
    combinations(["outputs", "bare", "logged"], [False, True], each_time=[("outputs", False)]),
)
def test_both_ways_come_to_the_same_in_lightning(kind, broken, tmp_path, monkeypatch):
    def run(watch):
        callback = AudioLossLightning(SILENT, window_size=20)
        watch(callback.guard)
        data = loops.Samples(STEPS, 21, 22, masked=True) if broken else loops.Samples(STEPS)
        fit(tmp_path, STEPS, callback, data=data, module=Module(kind))
        return callback.guard

    states, reads = twice(run, monkeypatch)
    assert states[0] == states[1]
    assert reads[1] == STEPS
    assert reads[0] < 8 or broken or kind == "logged"


def glanced(value):
    """A guard that takes 5 for usual, and has looked at one more loss."""
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for step in range(20):
        guard.step(5 + 0.01 * (step % 7))
    guard.step(value, step=LATER)
    assert guard.glanced is not None
    return guard


@pytest.mark.parametrize("grad_norm", [math.nan, math.inf, torch.tensor(math.nan), torch.ones(2), "0.5"])
def test_a_gradient_norm_that_is_none_is_said_at_its_step(grad_norm):
    guard = glanced(5.55)
    assert not guard.keep(21, grad_norm)
    assert guard.glanced is not None


def test_what_is_usual_may_change_between_two_halves_of_a_step():
    guard = glanced(8.5)
    guard._calm.expect(4.0)
    assert not guard.keep(21)
    guard.close(21)
    assert guard._watch.monitors["audio_loss"].diagnostics()["last_step"] == 21


class Raises(TrainerCallback):
    """Ends a training in the middle of a step."""

    def __init__(self, at):
        self.at = at

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        if state.global_step == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [loops.InOrder, Mixed])
def test_a_step_that_was_never_closed_has_no_part_in_the_next_training(kind, tmp_path):
    callback = AudioLossCallback(SILENT)
    made = trainer(kind, tmp_path, callback, 12)
    raises = Raises(8)
    made.add_callback(raises)
    with pytest.raises(KeyboardInterrupt):
        made.train()
    made.remove_callback(raises)
    made.model.load_state_dict({name: torch.zeros_like(value) for name, value in made.model.state_dict().items()})
    made.train()
    assert [step for step, _, _ in callback.guard._watch.points] == [*range(1, 9), *range(1, 13)]
    assert callback.guard._watch.points[8][1] == pytest.approx(torch.tensor(1026.0).log().item(), rel=1e-4)
