"""The mixin inside subclasses of Trainer."""

import logging
from typing import ClassVar

import pytest
import torch

from audioloss_cli.model import Alert, Finding, Severity
from audioloss_cli.training import AudioLossCallback, AudioLossMixin, Policy
from tests.training import loops


class Plain(AudioLossMixin, loops.InOrder):
    """Nothing is configured."""


class Unshifted(AudioLossMixin, loops.NoShift):
    audio_loss_options: ClassVar = {"policy": Policy(critical=("advise", "stop"), warning=("advise", "stop"))}


class Filtering(AudioLossMixin, loops.InOrder):
    """Filters its inputs before it hands them to the model, as trainers do that wrap a model."""

    audio_loss_options: ClassVar = {"policy": Policy(critical=("advise", "stop"))}

    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        clean = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        return 0.0 * model(**clean).logits.sum()


class Own(AudioLossMixin, loops.InOrder):
    """Overrides what there is to override."""

    audio_loss_options: ClassVar = {"policy": Policy(critical=("log", "stop"))}
    seen: ClassVar[list] = []

    def _validate_model_inputs(self, original_batch, clean_inputs):
        self.seen.append(("inputs", set(original_batch), set(clean_inputs)))
        return super()._validate_model_inputs(original_batch, clean_inputs)

    def _validate_audio_logits(self, audio_logits, audio_labels):
        self.seen.append(("logits", [*audio_logits.shape], [*audio_labels.shape]))
        return [Finding("too-loud", Severity.CRITICAL, "the logits are too loud")]

    def _take_corrective_action(self, batch, alert):
        self.seen.append(("action", alert.code, batch["audio_labels"].unique().tolist()))
        return super()._take_corrective_action(batch, alert)


def run(kind, directory, steps, data=None, **settings):
    arguments = loops.arguments(directory, steps, **settings)
    made = kind(
        model=loops.model(**(loops.LARGER if kind is Unshifted else {})),
        args=arguments,
        train_dataset=data or loops.Samples(steps),
    )
    made.seen = []
    made.train()
    return made


def guard(trainer):
    return trainer._bound_audio_loss_callback().guard


def test_nothing_is_to_be_configured(tmp_path):
    made = run(Plain, tmp_path, 5)
    seen = made.audio_loss_monitor.diagnostics()
    assert (seen["points"], seen["last_step"]) == (5, 5)
    assert seen["current"] == pytest.approx(made.state.log_history[0]["loss"] / 8, rel=0.2)
    assert guard(made).taken == []


def test_it_watches_the_loss_that_is_trained(tmp_path):
    """Which the hook of the callback does not see: the model computes none."""
    made = run(Unshifted, tmp_path, 250, logging_steps=50)
    advice, stop, *_ = guard(made).taken
    assert made.state.global_step == stop.step < 250
    assert advice.series == "audio_loss"
    assert advice.outcome.startswith("no-shift")


def test_accumulated_losses_are_added_up(tmp_path):
    made = run(Unshifted, tmp_path, 1, data=loops.Samples(4), gradient_accumulation_steps=4, logging_steps=1)
    logged = made.state.log_history[0]["loss"]
    assert made.audio_loss_monitor.diagnostics()["current"] == pytest.approx(logged, rel=1e-5)


def test_what_the_trainer_filtered_out_is_named(tmp_path):
    made = run(Filtering, tmp_path, 5)
    alerts = {taken.alert: taken for taken in guard(made).taken}
    assert made.state.global_step == 1
    assert {"dropped-by-trainer", "missing-input"} <= set(alerts)
    assert alerts["dropped-by-trainer"].outcome
    assert "audio_input_ids" in next(taken.outcome for taken in guard(made).taken if taken.action == "advise")


def test_the_methods_are_doors(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "audioloss"):
        made = run(Own, tmp_path, 20, data=loops.Samples(20, 11, masked=True))
    assert [kind for kind, *_ in made.seen] == ["inputs"] * 3 + ["action", "logits"]
    assert made.seen[0][1:] == ({*loops.sample(0)}, {*loops.sample(0)})
    assert made.seen[-2:] == [("action", "non-finite-loss", [-100]), ("logits", [33, 8, 1026], [33, 8])]
    assert "the logits are too loud" in caplog.text
    assert made.state.global_step == 12
    assert "model inputs: " in caplog.text
    assert "audio_labels [1, 33, 8] int64" in caplog.text


def test_logits_can_be_checked(tmp_path):
    made = run(Plain, tmp_path, 1)
    logits = torch.zeros(33, 8, 1026)
    labels = loops.sample(0)["audio_labels"][0]
    assert {finding.code for finding in made._validate_audio_logits(logits, labels)} >= {"constant-logits"}
    with pytest.raises(ValueError, match="audio_labels must be"):
        made._validate_audio_logits(logits, labels[:, :3])


@loops.not_in_older(reason="gives its gradient norm to its log alone")
def test_the_gradient_norm_stands_beside_the_loss(tmp_path):
    made = run(Plain, tmp_path, 3)
    state = guard(made).state_dict()["monitors"]["audio_loss"]
    assert "grad_norm" in str(state["past"])


def test_the_state_comes_back_on_resuming(tmp_path):
    run(Plain, tmp_path, 4, save_strategy="steps", save_steps=4)
    made = Plain(model=loops.model(), args=loops.arguments(tmp_path, 6), train_dataset=loops.Samples(6))
    made.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert made.audio_loss_monitor.diagnostics()["points"] == 6


def test_a_trainer_may_call_the_doors_by_itself(tmp_path):
    """Before the training too, and with an alert of its own."""
    made = Plain(model=loops.model(), args=loops.arguments(tmp_path, 1), train_dataset=loops.Samples(1))
    batch = loops.sample(1, masked=True)
    found = made._validate_model_inputs(batch, {"input_ids": batch["input_ids"]})
    assert {each.code for each in found} >= {"missing-input"}
    alert = Alert("own", Severity.CRITICAL, "own-rule", 7, 0.0, "own", "fired", "own-rule@7", 0.0, "Look.")
    guard(made).set_directory(tmp_path / "alerts")
    taken = made._take_corrective_action(batch, alert)
    assert [(each.action, each.step, each.done) for each in taken] == [
        ("log", 7, True),
        ("dump", 7, True),
        ("advise", 7, True),
    ]
    assert (tmp_path / "alerts" / "step-7-own-rule.json").is_file()


def test_a_callback_that_is_there_is_used(tmp_path):
    callback = AudioLossCallback(Policy(critical=("stop",)), window_size=7)
    made = Plain(
        model=loops.model(), args=loops.arguments(tmp_path, 3), train_dataset=loops.Samples(3), callbacks=[callback]
    )
    made.train()
    assert [each for each in made.callback_handler.callbacks if isinstance(each, AudioLossCallback)] == [callback]
    assert made.audio_loss_monitor.limits.window_size == 7
    assert made.audio_loss_monitor.diagnostics()["points"] == 3


def test_without_its_callback_it_is_a_plain_trainer(tmp_path):
    made = Plain(model=loops.model(), args=loops.arguments(tmp_path, 2), train_dataset=loops.Samples(2))
    made.remove_callback(AudioLossCallback)
    made.train()
    assert made.state.global_step == 2
    with pytest.raises(RuntimeError, match="was removed from this Trainer"):
        _ = made.audio_loss_monitor


def test_bases_in_an_order_in_which_nothing_would_be_watched_are_refused():
    with pytest.raises(TypeError, match="Late never reaches AudioLossMixin: put it first"):
        type("Late", (loops.InOrder, AudioLossMixin), {})
