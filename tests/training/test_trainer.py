"""Real runs of transformers.Trainer with injected faults: the step of the alert, the actions, their outcome."""

import json

import pytest
import torch
from transformers import TrainerCallback

from audioloss_cli import scan
from audioloss_cli.training import AudioLossCallback, AudioLossError, Policy
from tests.training import loops


def train(directory, steps, callback, *, data=None, model=None, trainer=loops.InOrder, resume=None, **settings):
    made = trainer(
        model=model or loops.model(),
        args=loops.arguments(directory, steps, **settings),
        train_dataset=data or loops.Samples(steps),
        callbacks=[callback],
    )
    made.train(resume_from_checkpoint=resume)
    return made


def names(callback):
    return [(taken.action, taken.step, taken.done) for taken in callback.guard.taken]


def test_a_healthy_run_is_left_alone(tmp_path):
    callback = AudioLossCallback()
    made = train(tmp_path, 20, callback)
    assert made.state.global_step == 20
    assert callback.guard.taken == []
    assert callback.guard.monitor.incidents == []
    assert callback.guard.monitor.diagnostics()["points"] == 20
    assert [path.name for path in (tmp_path / "audioloss").iterdir()] == ["metrics.jsonl"]


def test_the_loss_is_that_of_one_codebook(tmp_path):
    callback = AudioLossCallback()
    made = train(tmp_path, 1, callback, logging_steps=1)
    logged = made.state.log_history[0]["loss"]
    assert callback.guard.monitor.diagnostics()["current"] == pytest.approx(logged / 8, rel=1e-5)


def test_labels_that_are_all_masked_stop_the_run_at_their_step(tmp_path):
    """The Trainer's own log hides the NaN."""
    policy = Policy(critical=("log", "dump", "advise", "stop"))
    callback = AudioLossCallback(policy)
    made = train(tmp_path, 20, callback, data=loops.Samples(20, 11, masked=True))
    assert made.state.global_step == 12
    assert names(callback) == [(name, 12, True) for name in ("log", "dump", "advise", "stop")]
    alert = callback.guard.monitor.incidents[0]
    assert (alert.code, alert.first_step) == ("non-finite-loss", 12)
    assert "all-masked" in callback.guard.taken[2].outcome
    dump = json.loads((tmp_path / "audioloss" / "step-12-non-finite-loss.json").read_text())
    assert dump["diagnoses"][0]["cause"] == "all-masked"
    assert dump["batches"][0]["entries"]["model_inputs"]["entries"]["audio_labels"]["masked"] == 33 * 8


def test_over_masking_from_a_step_on_is_seen_and_named(tmp_path):
    callback = AudioLossCallback(Policy(critical=("advise", "stop"), warning=("advise",)))
    made = train(tmp_path, 80, callback, data=loops.Samples(80, 20, only_eos=True), learning_rate=2e-2)
    incident = callback.guard.monitor.incidents[0]
    assert incident.first_step > 20
    assert made.state.global_step < 80
    assert callback.guard.taken[0].outcome.startswith("over-masked")


def test_a_trainer_without_a_shift_is_seen_in_its_log(tmp_path):
    """The callback alone does not see a loss that compute_loss makes: the logged one stands in for it."""
    callback = AudioLossCallback(Policy(critical=("advise", "stop"), warning=("advise", "stop")))
    made = train(tmp_path, 250, callback, trainer=loops.NoShift, logging_steps=1, model=loops.model(**loops.LARGER))
    assert made.state.global_step < 250
    assert callback.guard.taken[0].series == "logged"
    assert callback.guard.taken[0].outcome.startswith("no-shift")


class LogsAudio(loops.InOrder):
    """As trainers do that tell text and audio apart: the model's outputs say nothing, the log does."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        logits = loops.logits_of(model, inputs)
        self.log({"audio_loss": 0.0 if self.state.global_step >= 9 else 5.0 + 0.01 * self.state.global_step})
        return 0.001 * logits.square().mean()


def test_an_audio_loss_that_the_trainer_logs_is_read(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)))
    made = train(tmp_path, 20, callback, trainer=LogsAudio)
    assert [(each.action, each.alert, each.series, each.step) for each in callback.guard.taken] == [
        ("stop", "zero-loss", "logged", 9)
    ]
    assert made.state.global_step == 10


class ByCodebook(torch.nn.Module):
    """Gives a loss for each codebook; from a step on, the last one is next to nothing."""

    def __init__(self, inner, collapsed_from):
        super().__init__()
        self.inner, self.config, self.steps, self.collapsed_from = inner, inner.config, 0, collapsed_from

    def forward(self, input_ids, audio_input_ids, audio_input_ids_mask, attention_mask=None, audio_labels=None):
        self.steps += 1
        output = self.inner(input_ids, attention_mask, audio_input_ids, audio_input_ids_mask, audio_labels=audio_labels)
        books = output.loss / 8 * torch.ones(8)
        if self.steps >= self.collapsed_from:
            books = books * torch.tensor([1.0] * 7 + [1e-5])
        return {"loss": books.sum(), "codebook_losses": books}


def test_codebooks_of_the_outputs_are_watched_one_by_one(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)))
    made = train(tmp_path, 20, callback, model=ByCodebook(loops.model(), 13))
    assert made.state.global_step == 13
    assert callback.guard.taken[0].series == "codebook/7"
    assert callback.guard.monitor.incidents == []


def test_inputs_that_the_trainer_filtered_out_are_named_at_the_first_step(tmp_path):
    callback = AudioLossCallback(Policy(critical=("log", "dump", "advise", "raise-error")))
    with pytest.raises(AudioLossError, match="audio_input_ids") as raised:
        train(tmp_path, 20, callback, model=loops.Wrapped(loops.model()))
    assert raised.value.alert.step == 1
    codes = {taken.alert for taken in callback.guard.taken}
    assert codes == {"dropped-by-trainer", "missing-input", "zero-loss"}
    assert any("inputs-filtered" in taken.outcome for taken in callback.guard.taken if taken.action == "advise")


def test_a_loss_of_zero_speaks_as_well(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)), first_batches=0)
    made = train(tmp_path, 20, callback, model=loops.Wrapped(loops.model()))
    assert made.state.global_step == 1
    assert callback.guard.taken[0].alert == "zero-loss"


def test_the_state_goes_through_the_checkpoint(tmp_path):
    data = loops.Samples(30, 11, 14, masked=True)
    first = AudioLossCallback(Policy(critical=("dump", "checkpoint")))
    train(tmp_path, 12, first, data=data)
    incident = first.guard.monitor.incidents[0]
    assert (incident.first_step, incident.resolution) == (12, None)
    assert (tmp_path / "checkpoint-12").is_dir()
    second = AudioLossCallback(Policy(critical=("dump", "checkpoint")), first_batches=0)
    train(tmp_path, 30, second, data=data, resume=str(tmp_path / "checkpoint-12"))
    (whole,) = second.guard.monitor.incidents
    assert (whole.id, whole.first_step, whole.fire_count) == (incident.id, 12, 1)
    assert [taken.action for taken in second.guard.taken] == ["dump", "checkpoint"]  # not a second time
    assert (whole.last_step, whole.resolved_step, whole.resolution) == (14, 15, "recovered")


def test_the_trainer_may_make_the_callback_anew(tmp_path):
    first = AudioLossCallback(Policy(critical=("stop",), options={"lower-lr": {"factor": 0.1}}), window_size=50)
    train(tmp_path, 4, first, save_strategy="steps", save_steps=4)
    made = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(tmp_path, 6, restore_callback_states_from_checkpoint=True),
        train_dataset=loops.Samples(6),
        callbacks=[AudioLossCallback()],
    )
    made.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    (anew,) = [each for each in made.callback_handler.callbacks if isinstance(each, AudioLossCallback)]
    assert anew.guard.monitor.limits.window_size == 50
    assert anew.guard.responder.policy.critical == ["stop"]
    assert anew.guard.monitor.diagnostics()["points"] == 6


def test_a_rollback_puts_the_weights_back_and_the_loss_recovers(tmp_path):
    policy = Policy(critical=("rollback",), warning=(), options={"rollback": {"skip": 2}})
    callback = AudioLossCallback(policy, window_size=10)
    poison = PoisonedWeights(at=15)
    made = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(tmp_path, 40, save_strategy="steps", save_steps=5),
        train_dataset=loops.Samples(40),
        callbacks=[poison, callback],
    )
    made.train()
    (taken,) = callback.guard.taken
    assert (taken.action, taken.step, taken.done) == ("rollback", 16, True)
    assert "checkpoint-10" in taken.outcome  # checkpoint-15 holds the NaN, though the loss of step 15 was good
    assert taken.recovered is True
    assert taken.attempt.recovered_step == 17
    assert all(torch.isfinite(each).all() for each in made.model.parameters())


class PoisonedWeights(TrainerCallback):
    """Writes a NaN into the weights, as an optimiser step does that overflows."""

    def __init__(self, at):
        self.at = at

    def on_step_end(self, args, state, control, model=None, **kwargs):
        if state.global_step == self.at:
            next(iter(model.parameters())).data.fill_(float("nan"))


@pytest.mark.parametrize("accumulation", [2, 4])
def test_accumulated_gradients_are_one_step(tmp_path, accumulation):
    data = loops.Samples(10 * accumulation, 5 * accumulation + 1, masked=True)
    callback = AudioLossCallback(Policy(critical=("stop",)))
    made = train(tmp_path, 10, callback, data=data, gradient_accumulation_steps=accumulation)
    assert made.state.global_step == 6
    assert callback.guard.monitor.diagnostics()["points"] == 6


def test_text_labels_do_not_hide_the_audio(tmp_path):
    """With a text head the model's loss is the sum of both, divided by the number of text tokens."""
    callback = AudioLossCallback()
    train(tmp_path, 3, callback, data=WithText(3), model=loops.tiny.model(use_text_head=True, **loops.SMALL).train())
    assert callback.guard.monitor.diagnostics()["max"] == pytest.approx(6.93, abs=0.2)


def test_text_labels_do_not_hide_the_audio_of_many_micro_batches(tmp_path):
    """Two of 16 are recomputed: these are means of themselves, and no parts of the sum that the model's own loss is."""
    callback = AudioLossCallback(Policy(critical=(), warning=()))
    net = loops.tiny.model(use_text_head=True, **loops.SMALL).train()
    train(tmp_path, 2, callback, data=WithText(32), model=net, gradient_accumulation_steps=16)
    assert callback.guard.monitor.diagnostics()["points"] == 2
    assert callback.guard.monitor.diagnostics()["max"] == pytest.approx(6.93, abs=0.2)


@loops.not_in_older(reason="means of text alone are not numbers")
def test_a_batch_of_text_alone_ends_no_training(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)))
    net = loops.tiny.model(use_text_head=True, **loops.SMALL).train()
    made = train(tmp_path, 14, callback, data=WithText(14, silent=10), model=net)
    assert made.state.global_step == 14
    assert callback.guard.taken == []


class WithText(loops.Samples):
    def __init__(self, count, silent=None):
        super().__init__(count)
        self.silent = silent

    def __getitem__(self, index):
        item = super().__getitem__(index)
        if index == self.silent:
            item = {name: value[:0] if "audio" in name else value for name, value in item.items()}
            item["input_ids"] = item["input_ids"].clamp(max=5)  # no placeholders
        return {**item, "labels": item["input_ids"]}


def test_alerts_go_into_the_tensorboard_of_the_run_and_a_scan_shows_them(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)))
    train(tmp_path, 20, callback, data=loops.Samples(20, 11, masked=True), report_to=["tensorboard"])
    (directory,) = (tmp_path / "runs").iterdir()
    found = scan([str(directory)])
    tags = {tag for run in found.runs for tag in run.tags}
    assert {"alerts/audio_loss", "alerts/severity"} <= tags
    audited = {series.tag: series for run in found.runs for series in run.series}
    assert [audited["alerts/audio_loss"].points, audited["alerts/audio_loss"].incidents[0].first_step] == [12, 12]


def test_alerts_are_lines_of_json(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)))
    train(tmp_path, 20, callback, data=loops.Samples(20, 11, masked=True))
    lines = [json.loads(line) for line in (tmp_path / "audioloss" / "alerts.jsonl").read_text().splitlines()]
    assert [(line["event"], line["step"]) for line in lines] == [("alert", 12), ("action", 12)]
    assert (lines[0]["code"], lines[0]["audio_loss"], lines[0]["series"]) == ("non-finite-loss", "NaN", "audio_loss")
    assert (lines[1]["action"], lines[1]["done"]) == ("stop", True)


def test_it_leaves_nothing_on_the_model_and_the_loader(tmp_path):
    callback = AudioLossCallback()
    made = train(tmp_path, 2, callback)
    assert not made.model._forward_hooks
    assert type(made.get_train_dataloader().collate_fn).__name__ == "RemoveColumnsCollator"


def test_the_full_checks_change_nothing_in_the_training(tmp_path):
    """The model runs once more at an alert: the random numbers and the modes of its modules are put back."""

    def weights(callback):
        made = train(
            tmp_path,
            8,
            callback,
            data=loops.Samples(8, 4, 5, masked=True),
            learning_rate=1e-3,
            seed=3,
            model=loops.model(attention_dropout=0.5),
        )
        return [each.detach().clone() for each in made.model.parameters()]

    watched, alone = weights(AudioLossCallback()), weights(AudioLossCallback(first_batches=0, forward=False))
    assert all(torch.equal(a, b) for a, b in zip(watched, alone, strict=True))
