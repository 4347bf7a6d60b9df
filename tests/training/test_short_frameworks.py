"""Inside a framework the short way of a step comes to what the long way comes to, whatever happens in it."""

import pytest
import torch
import torch._dynamo
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
from audioloss_cli.training.model_inputs import ModelInputs
from tests.training import loops
from tests.training.test_lightning import Module, fit
from tests.training.test_short_way import timeless

SILENT = Policy(critical=(), warning=())
STEPS = 40


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


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize(
    ("kind", "model"),
    [(kind, model) for kind in (loops.InOrder, Mixed) for model in MODELS] + [(Twice, "plain"), (MixedTwice, "plain")],
)
def test_both_ways_come_to_the_same_in_a_trainer(kind, model, broken, tmp_path, monkeypatch):
    def run(watch):
        callback = AudioLossCallback(SILENT, window_size=20)
        watch(callback.guard)
        data = loops.Samples(STEPS, 21, 22, masked=True) if broken else loops.Samples(STEPS)
        made = kind(model=MODELS[model](), args=loops.arguments(tmp_path, STEPS), train_dataset=data)
        made.add_callback(callback)
        made.train()
        return callback.guard

    states, reads = twice(run, monkeypatch)
    assert states[0] == states[1]
    assert reads[1] == STEPS
    assert reads[0] < (STEPS if kind in {Twice, MixedTwice} or broken else 8)


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize("kind", ["outputs", "bare", "logged"])
@pytest.mark.parametrize("broken", [False, True])
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
    made = kind(model=loops.model(), args=loops.arguments(tmp_path, 12), train_dataset=loops.Samples(12))
    made.add_callback(callback)
    raises = Raises(8)
    made.add_callback(raises)
    with pytest.raises(KeyboardInterrupt):
        made.train()
    made.remove_callback(raises)
    made.model.load_state_dict({name: torch.zeros_like(value) for name, value in made.model.state_dict().items()})
    made.train()
    assert [step for step, _, _ in callback.guard._watch.points] == [*range(1, 9), *range(1, 13)]
    assert callback.guard._watch.points[8][1] == pytest.approx(torch.tensor(1026.0).log().item(), rel=1e-4)


class Told(torch.nn.Module):
    """Its loss is what it is given."""

    def __init__(self):
        super().__init__()
        self.part = torch.nn.Parameter(torch.ones(1))

    def forward(self, told):
        return {"loss": (self.part * told).sum()}


@pytest.fixture
def _compiled_once():
    """What was compiled before would be taken for a model with other hooks, too."""
    torch._dynamo.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.usefixtures("_compiled_once")
def test_a_model_that_is_compiled_with_its_hooks_is_watched():
    """Between its graphs: in one of them a hook would be traced anew at every loss."""
    guard, net = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0), Told()
    hook = ForwardHook(guard)
    hook.attach(net, None)
    net.compile(backend="eager")
    told = [5 + 0.01 * (step % 7) for step in range(30)]
    for step, value in enumerate(told):
        net(told=torch.tensor(value))["loss"].backward()
        if not guard.keep(step):
            guard.close(step)
    guard.flush()
    assert [value for _, value, _ in guard._watch.points] == pytest.approx(told)


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.usefixtures("_compiled_once")
def test_what_a_compiled_model_is_given_is_seen():
    inputs, net = ModelInputs(), Told()
    inputs.attach(net, torch.nn.Module())
    net.compile(backend="eager")
    for step in range(4):
        net(told=torch.tensor(5.0 + step))
        given, batch = inputs.pair({"told": 0, "text": "filtered out"})
        assert (given["told"].item(), batch["text"]) == (5 + step, "filtered out")
    assert inputs.pair({"told": 1}) == ({"told": 1}, None)
