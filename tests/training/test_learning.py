"""What tells whether it learns: logged where and when the run logs, and read back by a scan without an alarm."""

import json
import math

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from audioloss_cli import scan
from audioloss_cli.training import AudioLossCallback, AudioLossGuard, AudioLossMixin
from tests.training import loops, wrapped_higgs
from tests.training.far import Far, far, far_of, install

CHANCE = math.log(1026)
NATS, LABELS, GRADIENTS = "learning/nats_below_chance", "learning/label_share", "learning/audio_grad_norm"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def trained(directory, steps=10, kind=loops.InOrder, callbacks=(), **settings):
    made = kind(
        model=loops.model(),
        args=loops.arguments(directory, steps, report_to=["tensorboard"], **settings),
        train_dataset=loops.Samples(steps),
        callbacks=[*callbacks],
    )
    made.train()
    return made


class Mixed(AudioLossMixin, loops.InOrder):
    pass


def loop_of(guard, model, steps, optimizer=None, to_none=True):
    """Losses of a plain loop, and the true figures of its last step."""
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(1, steps + 1):
        batch = loops.sample(step)
        optimizer.zero_grad()
        outputs = model(**batch)
        outputs.loss.backward()
        optimizer.step()
        losses.append(outputs.loss.item() / 8)
        audio = [each.grad for name, each in model.named_parameters() if "audio" in name and each.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([each.norm() for each in audio])).item()
        optimizer.zero_grad(set_to_none=to_none)
        guard.step(batch=batch, outputs=outputs)
    share = (batch["audio_labels"] != -100).float().mean().item()
    return losses, share, norm


@pytest.mark.parametrize("to_none", [True, False])
def test_a_plain_loop_logs_at_its_own_cadence(to_none, tmp_path):
    model = loops.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    guard = AudioLossGuard(
        model=model, optimizer=optimizer, directory=tmp_path, log_every=5, tensorboard=tmp_path / "tb"
    )
    losses, share, norm = loop_of(guard, model, 10, optimizer, to_none)
    assert guard.taken == []
    guard.finish()
    first, last = lines(tmp_path / "metrics.jsonl")
    assert (first["step"], last["step"]) == (5, 10)
    assert last["audio_loss"] == pytest.approx(sum(losses[5:]) / 5, rel=1e-5)
    assert last[NATS] == pytest.approx(CHANCE - sum(losses[5:]) / 5, rel=1e-4)
    assert last[LABELS] == pytest.approx(share)
    assert last[GRADIENTS] == pytest.approx(norm, rel=1e-4)
    books = [last[f"{NATS}/codebook_{number}"] for number in range(8)]
    assert sum(books) / 8 == pytest.approx(CHANCE - losses[-1], abs=0.1)
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert [each.step for each in events.Scalars(NATS)] == [5, 10]
    assert "alerts/audio_loss" not in events.Tags()["scalars"]


def test_nothing_is_logged_where_nothing_is_known_or_nobody_asks(tmp_path):
    guard = AudioLossGuard(directory=tmp_path / "a", log_every=5)
    silent = AudioLossGuard(model=loops.model(), directory=tmp_path / "b", log_every=0)
    for step in range(1, 11):
        guard.step(5.0 + 0.01 * step)
    loop_of(silent, silent.examiner.model, 5)
    guard.finish()
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_what_lies_on_a_device_is_not_waited_for(tmp_path, monkeypatch):
    install(monkeypatch)
    guard = AudioLossGuard(model=loops.model(), directory=tmp_path, log_every=1)
    batch = loops.sample(1)
    there = {name: far_of(value) for name, value in batch.items()}
    guard.step(batch=there, outputs={"audio_loss": far(5.0), "codebook_losses": far([4.0, 6.0])})
    assert not (tmp_path / "metrics.jsonl").exists()
    while Far.queues:
        Far.queues.popitem()[1].run()
    guard.step(batch=there, outputs={"audio_loss": far(4.0), "codebook_losses": far([3.0, 5.0])})
    (line,) = lines(tmp_path / "metrics.jsonl")
    assert (line["step"], line["audio_loss"]) == (1, 5.0)
    assert line[f"{NATS}/codebook_1"] == pytest.approx(CHANCE - 6.0, rel=1e-4)
    assert line[LABELS] == pytest.approx((batch["audio_labels"] != -100).float().mean().item())


@pytest.mark.parametrize("log_every", [-1, 2.5, True])
def test_a_cadence_that_makes_no_sense_is_refused(log_every):
    with pytest.raises(ValueError, match="log_every"):
        AudioLossGuard(log_every=log_every)


def test_a_callback_logs_where_the_trainer_logs(tmp_path):
    made = trained(tmp_path, callbacks=[AudioLossCallback()], logging_steps=5, save_steps=10, save_strategy="steps")
    rows = [row for row in made.state.log_history if "loss" in row]
    assert [row["step"] for row in rows if NATS in row] == [5, 10]
    assert all({LABELS, GRADIENTS} <= row.keys() for row in rows)
    assert [line["step"] for line in lines(tmp_path / "audioloss" / "metrics.jsonl")] == [5, 10]
    report = scan([str(tmp_path)])
    assert report.exit_code == 0
    assert any(figure.kind == "audio-grad-norm" for run in report.runs for figure in run.learning)


def test_a_mixin_logs_through_the_trainer(tmp_path):
    made = trained(tmp_path, kind=Mixed, logging_steps=5)
    assert [row["step"] for row in made.state.log_history if NATS in row] == [5, 10]
    (board,) = {path.parent for path in tmp_path.rglob("events.out.tfevents.*")}
    tags = EventAccumulator(str(board)).Reload().Tags()["scalars"]
    assert f"train/{NATS}" in tags
    assert NATS not in tags  # once is enough


def test_of_a_total_with_text_each_step_has_its_part(tmp_path):
    """``loss - llm_loss`` is what is trained: once it is seen to be what the logits give, each step has it."""
    callback = AudioLossCallback()
    wrapped_higgs.train(tmp_path, 20, callback, logging_steps=5)
    assert callback.guard.monitor.diagnostics()["points"] >= 18
    assert callback.guard.monitor.incidents == []
    (line, *_) = lines(tmp_path / "audioloss" / "metrics.jsonl")
    assert {NATS, LABELS, GRADIENTS} <= line.keys()


def test_a_text_loss_with_a_weight_leaves_no_audio_loss_behind(tmp_path):
    """Of 0.3 text + audio the difference is no loss: it is recomputed as before."""

    class Weighted(wrapped_higgs.Inner):
        def forward(self, *args, **kwargs):
            found = super().forward(*args, **kwargs)
            return {**found, "loss": found["loss"] - 0.7 * found["llm_loss"]}

    callback = AudioLossCallback()
    wrapped_higgs.train(tmp_path, 30, callback, model=Weighted())
    assert callback.guard.monitor.incidents == []
    assert callback.guard.monitor.diagnostics()["points"] < 20
