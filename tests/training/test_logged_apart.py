"""A Trainer whose compute_loss trains another loss than that of the model, and many that train the model's own."""

import json

import pytest
import torch

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, Policy
from audioloss_cli.training.losses.trained_loss import Line
from tests.effort import exhaustive, rows
from tests.training import loops
from tests.training.test_trainer import WithText, train

SILENT = Policy(critical=(), warning=())
STOP = Policy(critical=("stop",))


def own(change, *, start=0):
    """A Trainer that calls the model as everyone does, and from a step on makes another loss of its outputs."""

    class Own(loops.InOrder):
        def compute_loss(self, model, inputs, return_outputs=False, **_):
            outputs = model(**inputs)
            loss = outputs.loss / 8
            if self.state.global_step >= start:
                loss = change(loss, outputs.logits, inputs)
            return (loss, outputs) if return_outputs else loss

    return Own


def zero(loss, *_):
    return loss * 0.0


def nan(loss, *_):
    return loss * float("nan")


def negative(loss, *_):
    return -loss


def no_shift(_, logits, inputs):
    """Of the positions of audio alone."""
    codes = (inputs["input_ids"] == loops.tiny.AUDIO) | (inputs["input_ids"] == loops.tiny.DELAY)
    return loops.unshifted(logits[codes].reshape(-1, 8, 1026), inputs)


def open_series(callback):
    return {name: [each.code for each in monitor.incidents] for name, monitor in callback.guard.monitors.items()}


@pytest.mark.parametrize(("every", "named"), [(1, 11), (5, 15)])
def test_a_loss_of_zero_is_seen_though_that_of_the_model_is_healthy(tmp_path, every, named):
    callback = AudioLossCallback(STOP)
    made = train(tmp_path, 30, callback, trainer=own(zero, start=10), logging_steps=every)
    assert [(each.alert, each.series, each.step) for each in callback.guard.taken] == [("zero-loss", "logged", named)]
    assert made.state.global_step == named


def test_it_is_seen_in_the_first_line_as_well(tmp_path):
    callback = AudioLossCallback(SILENT)
    train(tmp_path, 10, callback, trainer=own(zero))
    assert open_series(callback) == {"audio_loss": [], "logged": ["zero-loss"]}


def test_a_nan_that_the_trainer_leaves_out_of_its_log(tmp_path):
    """Of a single step, whose gradients are thrown away, as a loss scaler does it: the model remains as it is."""

    class Skips(own(nan, start=12)):
        def create_optimizer(self, *args):
            optimizer = super().create_optimizer(*args)
            optimizer.register_step_pre_hook(lambda *_: optimizer.zero_grad())
            return optimizer

    for filtered in (True, False):
        callback = AudioLossCallback(SILENT)
        train(tmp_path, 20, callback, trainer=Skips, logging_nan_inf_filter=filtered)
        assert open_series(callback) == {"audio_loss": [], "logged": ["masked-nan" if filtered else "non-finite-loss"]}


def test_a_policy_loss_that_is_negative_raises_no_alarm(tmp_path):
    callback = AudioLossCallback(SILENT)
    train(tmp_path, 20, callback, trainer=own(negative), learning_rate=1e-4)
    assert open_series(callback) == {"audio_loss": [], "logged": []}
    assert callback.guard.monitors["logged"].kind == "signed"


@pytest.mark.exhaustive
def test_a_loss_without_a_shift_is_seen_by_how_it_falls(tmp_path):
    """From the start: what was logged before the two losses parted is what it is measured by."""
    callback = AudioLossCallback(Policy(critical=("advise", "stop"), warning=("advise", "stop")))
    net = loops.model(**loops.LARGER)
    made = train(tmp_path, 250, callback, trainer=own(no_shift), model=net)
    assert made.state.global_step < 130  # a scan of the whole log names step 110
    first = callback.guard.taken[0]
    assert (first.alert, first.series) == ("log-drop", "logged")
    assert first.outcome.startswith("no-shift")
    assert callback.guard.monitors["logged"].diagnostics()["points"] == first.step // 5


@pytest.mark.parametrize("parted", [False, True])
def test_it_goes_on_after_a_resumption(tmp_path, parted):
    at = 5 if parted else 10
    run = own(zero, start=at)
    train(tmp_path, 10, AudioLossCallback(SILENT), trainer=run, save_strategy="steps", save_steps=10)
    kept = json.loads((tmp_path / "checkpoint-10" / "trainer_state.json").read_text())
    kept = kept["stateful_callbacks"]["AudioLossCallback"]["attributes"]["resumed"]
    assert kept["apart"]["other"] is parted
    callback = AudioLossCallback(SILENT)
    train(tmp_path, 20, callback, trainer=run, resume=str(tmp_path / "checkpoint-10"))
    (incident,) = callback.guard.monitors["logged"].incidents
    assert (incident.code, incident.first_step) == ("zero-loss", 10 if parted else 15)
    assert callback.guard.monitors["logged"].diagnostics()["points"] == 4  # lines of before the resumption, too


def test_a_state_of_before_is_read(tmp_path):
    guard = AudioLossGuard(policy=SILENT, directory=tmp_path)
    state = guard.state_dict()
    del state["apart"]
    AudioLossGuard(policy=SILENT, directory=tmp_path).load_state_dict(state)


def test_losses_that_arrive_late_are_waited_for(tmp_path):
    """As those from a device."""
    callback = AudioLossCallback(SILENT, deferred=True)
    train(tmp_path, 20, callback, trainer=own(zero, start=10), logging_steps=10)
    assert open_series(callback) == {"audio_loss": [], "logged": ["zero-loss"]}  # in the last line of all
    assert callback.guard.monitors["logged"].diagnostics()["points"] == 2


# Healthy runs.


def eighth(loss, *_):
    return loss


def fraction(loss, *_):
    return loss * 0.01


def penalised(loss, logits, _):
    return loss + 0.1 * logits.square().mean()


HEALTHY = {
    "a sum over codebooks": {},
    "each step": {"logging_steps": 1},
    "seldom": {"logging_steps": 50},
    "the first step": {"logging_first_step": True},
    "each epoch": {"logging_strategy": "epoch", "max_steps": -1, "num_train_epochs": 3},
    "a mean": {"trainer": own(eighth)},
    "a fraction": {"trainer": own(fraction)},
    "a penalty": {"trainer": own(penalised)},
    "micro-batches": {"gradient_accumulation_steps": 4, "max_steps": -1, "num_train_epochs": 2},
    "text": {"text": True},
    "text, each step": {"text": True, "logging_steps": 1},
    "text in micro-batches": {"text": True, "gradient_accumulation_steps": 4, "max_steps": -1, "num_train_epochs": 2},
    "warm-up": {"warmup_steps": 30, "lr_scheduler_type": "cosine"},
    "evaluation": {"eval_strategy": "steps", "eval_steps": 3},
    "late": {"deferred": True},
    "late, each step": {"deferred": True, "logging_steps": 1},
}


class Uneven(WithText):
    """Of many lengths: a loss that is divided by the number of text tokens is anything."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        more = torch.full((0 if index % 3 else 40 + index,), 5)
        ids = torch.cat([item["input_ids"], more])
        return {**item, "input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


EACH_TIME = ["each step", "a penalty", "text in micro-batches", "late"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [*EACH_TIME, *exhaustive(*(name for name in HEALTHY if name not in EACH_TIME))])
def test_the_model_s_own_loss_is_not_watched_twice(tmp_path, name):
    settings = dict(HEALTHY[name])
    steps, trainer = settings.pop("max_steps", 62), settings.pop("trainer", loops.InOrder)
    text = settings.pop("text", False)
    callback = AudioLossCallback(SILENT, deferred=settings.pop("deferred", None))
    made = trainer(
        model=loops.model(use_text_head=text),
        args=loops.arguments(tmp_path, steps, **settings),
        train_dataset=Uneven(62) if text else loops.Samples(62),
        eval_dataset=loops.Samples(2),
        callbacks=[callback],
    )
    made.train()
    assert any("loss" in line for line in made.state.log_history)
    assert all(name == "audio_loss" or name.startswith("codebook/") for name in open_series(callback))
    assert not any(open_series(callback).values())


@pytest.mark.parametrize("every", [5, *exhaustive(1, 50)])
def test_a_nan_of_the_model_s_own_is_told_once(tmp_path, every):
    """The Trainer logs 0 for it, or the mean of the others."""
    callback = AudioLossCallback(SILENT)
    train(tmp_path, 60, callback, data=loops.Samples(60, 20, 27, masked=True), logging_steps=every)
    assert open_series(callback) == {"audio_loss": ["non-finite-loss"]}


def test_two_callbacks_and_a_resumption_of_a_healthy_run(tmp_path):
    for steps, resume in ((12, None), (30, str(tmp_path / "checkpoint-12"))):
        callbacks = [AudioLossCallback(SILENT) for _ in range(2)]
        made = loops.InOrder(
            model=loops.model(),
            args=loops.arguments(tmp_path, steps, save_strategy="steps", save_steps=12),
            train_dataset=loops.Samples(30),
            callbacks=[*callbacks, callbacks[0]],
        )
        made.train(resume_from_checkpoint=resume)
        for each in callbacks:
            assert open_series(each) == {"audio_loss": []}


def test_what_is_over_by_then_is_not_told_again(tmp_path):
    """A spike of both, and much later they part."""
    guard = AudioLossGuard(policy=SILENT, directory=tmp_path)
    guard.pipeline.logs_from(0, [])
    told = []
    for step in range(1, 401):
        value = 60.0 if 200 <= step < 230 else 3.0 + 0.01 * (step % 7)
        guard.step(value, step=step)
        told += guard.pipeline.trained(Line(step, value if step < 400 else 0.0, 0.0, {}))
    assert [(each.code, each.step) for each in told if each.code == "zero-loss"] == [("zero-loss", 400)]
    assert [each.code for each in guard.monitors["logged"].incidents] == ["loss-spike", "zero-loss"]
    assert [each.code for each in told].count("loss-spike") == 0


def hundredth(loss, *_):
    return 0.01 * loss


class Halves(WithText):
    """Every second sample is one of text alone."""

    def __getitem__(self, index):
        item = super().__getitem__(index)
        if index % 2 == 0:
            return item
        kept = (item["input_ids"] != loops.tiny.AUDIO) & (item["input_ids"] != loops.tiny.DELAY)
        text = {name: item[name][kept] for name in ("input_ids", "attention_mask", "labels")}
        return {**text, **{name: value[:0] for name, value in item.items() if name not in text}}


@loops.not_in_older(reason="means of text alone are not numbers")
@pytest.mark.parametrize(("accumulation", "every"), rows([(1, 1), (2, 1), (4, 1), (2, 2), (4, 5)], each_time=[(2, 2)]))
def test_a_total_is_known_where_the_audio_loss_is_taken_out_of_it(tmp_path, accumulation, every):
    """Without it the total of a step would be that of its other micro-batches, of text alone."""
    callback = AudioLossCallback(STOP)
    settings = {"gradient_accumulation_steps": accumulation, "logging_steps": every}
    made = loops.InOrder(
        model=loops.model(use_text_head=True),
        args=loops.arguments(tmp_path, 120, **settings),
        train_dataset=Halves(120 * accumulation),
        callbacks=[callback],
    )
    made.train()
    assert (callback.guard.taken, made.state.global_step) == ([], 120)
    assert "logged" not in callback.guard.monitors


@pytest.mark.exhaustive
@pytest.mark.parametrize("every", [20, *exhaustive(5, 40)])
def test_another_loss_is_noticed_where_the_model_s_own_holds_text(tmp_path, every):
    callback = AudioLossCallback(SILENT)
    made = own(hundredth, start=60)(
        model=loops.model(use_text_head=True),
        args=loops.arguments(tmp_path, 160, logging_steps=every),
        train_dataset=WithText(160),
        callbacks=[callback],
    )
    made.train()
    assert "logged" in callback.guard.monitors


@pytest.mark.exhaustive
def test_steps_of_an_earlier_attempt_are_none_of_a_line(tmp_path):
    """The same callback, resumed in the same process time and again."""
    callback = AudioLossCallback(STOP)
    train(tmp_path, 40, callback, data=loops.Samples(64), save_strategy="steps", save_steps=30)
    for _ in range(3):
        resume = str(tmp_path / "checkpoint-30")
        train(tmp_path, 60, callback, data=loops.Samples(64), resume=resume, logging_steps=10)
        assert "logged" not in callback.guard.monitors
