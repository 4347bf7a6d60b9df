"""Real runs of Lightning with injected faults."""

import copy
import json
from types import SimpleNamespace

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.trainer.connectors.logger_connector import result

from audioloss_cli import scan
from audioloss_cli.training import AudioLossError, AudioLossGuard, AudioLossLightning, Policy
from audioloss_cli.training.integrations.lightning.step import LightningLosses, _both
from tests.effort import exhaustive, rows
from tests.training import loops

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*num_workers.*"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
    pytest.mark.filterwarnings("ignore:.*Checkpoint directory.*"),
    pytest.mark.filterwarnings("ignore:.*log_every_n_steps.*"),
    pytest.mark.filterwarnings("ignore:.*TBLogger.*"),
    pytest.mark.filterwarnings("ignore:.*tensorboardX.*"),
    pytest.mark.filterwarnings("ignore:.*litlogger.*"),
    pytest.mark.filterwarnings("ignore:.*your dataloader is not resumable.*"),
]


class Module(lightning.LightningModule):
    """A tiny fine-tune; ``kind`` says what a training step returns."""

    def __init__(self, kind="outputs", **model):
        super().__init__()
        self.model, self.kind = loops.model(**model), kind

    def training_step(self, batch, batch_idx):
        if self.kind == "unshifted":
            return loops.unshifted(loops.logits_of(self.model, batch), batch)
        if self.kind == "filtered":
            return 0.0 * self.model(input_ids=batch["input_ids"]).logits.sum()
        loss = self.model(**batch).loss
        if self.kind == "outputs":
            return {"loss": loss, "audio_loss": loss / 8}
        if self.kind == "logged":
            self.log("train/audio_loss", loss / 8)
        return loss / 8 if self.kind == "bare" else loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


def fit(directory, steps, callback, *, data=None, kind="outputs", resume=None, module=None, more=(), **settings):
    trainer = lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        callbacks=[callback, *more],
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=directory,
        **{"logger": False, "enable_checkpointing": bool(more), **settings},
    )
    loader = torch.utils.data.DataLoader(data or loops.Samples(64), batch_size=1)
    trainer.fit(module or Module(kind), loader, ckpt_path=resume)
    return trainer


def test_what_tells_whether_it_learns_goes_to_the_runs_loggers(tmp_path):
    loggers = [TensorBoardLogger(str(tmp_path), name="tb"), CSVLogger(str(tmp_path), name="csv")]
    fit(tmp_path, 10, AudioLossLightning(), logger=loggers, log_every_n_steps=5)
    table = next(tmp_path.rglob("metrics.csv")).read_text()
    assert {"learning/nats_below_chance", "learning/label_share", "learning/audio_grad_norm"} <= set(
        table.splitlines()[0].split(",")
    )
    lines = [json.loads(line) for line in next(tmp_path.rglob("metrics.jsonl")).read_text().splitlines()]
    assert [line["step"] for line in lines] == [5, 10]
    report = scan([str(tmp_path)])
    assert report.exit_code == 0
    assert sum(any(figure.kind == "label-share" for figure in run.learning) for run in report.runs) >= 2


def test_a_healthy_run_is_left_alone(tmp_path):
    callback = AudioLossLightning()
    assert fit(tmp_path, 10, callback).global_step == 10
    assert callback.guard.monitor.diagnostics()["points"] == 10
    assert callback.guard.taken == []


@pytest.mark.parametrize("kind", ["outputs", "logged", "bare"])
def test_a_nan_stops_the_run_at_its_step(tmp_path, kind):
    callback = AudioLossLightning(Policy(critical=("log", "dump", "advise", "stop")))
    trainer = fit(tmp_path, 20, callback, data=loops.Samples(20, 11, masked=True), kind=kind)
    assert trainer.global_step == 12
    assert [(taken.action, taken.step, taken.done) for taken in callback.guard.taken] == [
        (name, 12, True) for name in ("log", "dump", "advise", "stop")
    ]
    assert callback.guard.taken[2].outcome.startswith("all-masked")
    report = json.loads((tmp_path / "audioloss" / "step-12-non-finite-loss.json").read_text())
    assert report["findings"][0]["code"] == "all-masked"


@loops.not_in_older(reason="has a model that learns at another pace")
def test_over_masking_from_a_step_on_is_seen_and_named(tmp_path):
    callback = AudioLossLightning(Policy(critical=("advise", "stop"), warning=("advise",)))
    data = loops.Samples(80, 20, only_eos=True)
    trainer = fit(tmp_path, 80, callback, data=data)
    assert 20 < callback.guard.monitor.incidents[0].first_step <= trainer.global_step < 80
    assert callback.guard.taken[0].outcome.startswith("over-masked")


@pytest.mark.exhaustive
def test_a_module_without_a_shift_is_seen_and_named(tmp_path):
    callback = AudioLossLightning(Policy(critical=("advise", "stop"), warning=("advise", "stop")))
    data, module = loops.Samples(250), Module("unshifted", **loops.LARGER)
    trainer = fit(tmp_path, 250, callback, data=data, module=module)
    assert callback.guard.taken[0].step == trainer.global_step < 250
    assert callback.guard.taken[0].outcome.startswith("no-shift")


def test_inputs_that_the_module_filtered_out_are_named_at_the_first_step(tmp_path):
    callback = AudioLossLightning(Policy(critical=("advise", "raise-error")))
    module = Module("filtered")
    with pytest.raises(AudioLossError, match="audio_input_ids") as raised:
        fit(tmp_path, 20, callback, module=module)
    assert (raised.value.alert.code, raised.value.alert.step) == ("dropped-by-trainer", 1)
    assert "inputs-filtered" in callback.guard.taken[0].outcome
    assert not module.model._forward_pre_hooks


def test_the_scale_of_what_is_read(tmp_path):
    callbacks = {kind: AudioLossLightning() for kind in ("outputs", "logged", "bare")}
    for kind, callback in callbacks.items():
        fit(tmp_path, 2, callback, kind=kind)
    currents = {callback.guard.monitor.diagnostics()["current"] for callback in callbacks.values()}
    assert max(currents) == pytest.approx(min(currents), rel=0.05)


def test_raising_ends_the_fit(tmp_path):
    callback = AudioLossLightning(Policy(critical=("raise-error",)))
    with pytest.raises(AudioLossError, match="non-finite-loss at step 4"):
        fit(tmp_path, 20, callback, data=loops.Samples(20, 3, masked=True))


def test_accumulated_gradients_are_one_step(tmp_path):
    callback = AudioLossLightning(Policy(critical=("stop",)))
    data = loops.Samples(20, 9, masked=True)
    trainer = fit(tmp_path, 10, callback, data=data, accumulate_grad_batches=2)
    assert trainer.global_step == 5
    assert callback.guard.monitor.diagnostics()["points"] == 5


def values_of(directory, steps, **settings):
    """What was watched, by step."""
    callback = AudioLossLightning(Policy(critical=(), warning=()))
    fit(directory, steps, callback, **settings)
    return [value for _, value, _ in callback.guard.pipeline.watch.points]


class Still(Module):
    """Its weights stay, so that each sample has its loss, whatever the accumulation."""

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


class OnlyLoss(Still):
    """A dict without an audio loss."""

    def training_step(self, batch, batch_idx):
        return {"loss": self.model(**batch).loss / 8}


@pytest.mark.parametrize("accumulate", [2, *exhaustive(3, 4)])
@pytest.mark.parametrize("kind", ["outputs", "logged", "bare", "dict"])
def test_a_step_has_the_mean_loss_of_its_micro_batches(tmp_path, kind, accumulate):
    module = OnlyLoss() if kind == "dict" else Still(kind)
    single = values_of(tmp_path, 10, module=copy.deepcopy(module), data=loops.Samples(10))
    # The last step of the epoch holds what is left: one or two samples.
    groups = [single[at : at + accumulate] for at in range(0, 10, accumulate)]
    data, steps = loops.Samples(10), len(groups)
    found = values_of(tmp_path, steps, module=module, data=data, accumulate_grad_batches=accumulate)
    assert found == pytest.approx([sum(group) / len(group) for group in groups], rel=1e-5)


@pytest.mark.parametrize("kind", ["outputs", "logged"])
def test_the_total_beside_a_named_audio_loss_is_whole_under_accumulation(tmp_path, kind):
    class Reads(lightning.Callback):
        losses, found = LightningLosses(AudioLossGuard()), []

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            self.found.append(self.losses.of(trainer, outputs, batch))

    reads = Reads()
    fit(tmp_path, 3, reads, module=Still(kind), accumulate_grad_batches=4)
    assert [float(each["total"]) / float(each["audio"]) for each in reads.found] == pytest.approx([8.0] * 12)


class Sparse(Still):
    """Logs its audio loss at every so many batches, and returns a loss that is eight times as large, or none."""

    def __init__(self, every, first=0, returns=True):
        super().__init__()
        self.every, self.first, self.returns = every, first, returns
        self.automatic_optimization = returns

    def training_step(self, batch, batch_idx):
        loss = self.model(**batch).loss
        if batch_idx % self.every == self.first:
            self.log("train/audio_loss", loss / 8)
        if not self.returns:
            self.optimizers().step()
        return loss if self.returns else None


@pytest.mark.parametrize(("every", "first"), rows([(10, 0), (2, 0), (3, 2), (2, 1)], [(10, 0), (3, 2)]))
def test_a_loss_that_is_logged_now_and_then_does_not_hide_the_returned_one(tmp_path, every, first):
    single = values_of(tmp_path, 24, module=Still("bare"))
    callback = AudioLossLightning(Policy(critical=("stop",), warning=()))
    data = loops.Samples(64, 22, 23, masked=True)
    trainer = fit(tmp_path, 40, callback, module=Sparse(every, first), data=data)
    points = [value for _, value, _ in callback.guard.pipeline.watch.points]
    assert points[1:22] == pytest.approx([8 * value for value in single[1:22]], rel=1e-5)
    assert trainer.global_step == 23
    incidents = {each.code: each.first_step for each in callback.guard.monitor.incidents}
    # A sum over codebooks is told by where the loss starts, which here is the first value that was logged, a mean.
    assert set(incidents) == {"non-finite-loss"} | ({"sum-scale"} if first else set())
    assert incidents["non-finite-loss"] == 23
    logged = callback.guard.pipeline.watch.monitors["logged"]
    assert logged.diagnostics()["points"] == len(range(first, 23, every)) - (first == 0)


def test_an_old_value_is_not_taken_for_that_of_the_next_epoch(tmp_path):
    """At the end of an epoch the mean over it takes the place of the last value."""

    class AtOnce(Still):
        def training_step(self, batch, batch_idx):
            loss = self.model(**batch).loss / 8
            if self.current_epoch == 0:
                self.log("train/audio_loss", loss, on_step=True, on_epoch=True)
            return loss

    assert len(values_of(tmp_path, 12, module=AtOnce(), data=loops.Samples(5))) == 5


def test_a_number_of_the_progress_bar_is_read_no_more_often_than_without_the_guard(tmp_path, monkeypatch):
    """Each of them makes the host wait for the device."""
    reads = []
    read = result.convert_tensors_to_scalars
    monkeypatch.setattr(result, "convert_tensors_to_scalars", lambda value: reads.append(1) or read(value))

    class OnTheBar(Still):
        def training_step(self, batch, batch_idx):
            loss = self.model(**batch).loss / 8
            self.log("train/audio_loss", loss, prog_bar=True)
            return loss

    counts = []
    for callback in (lightning.Callback(), AudioLossLightning()):
        reads.clear()
        fit(tmp_path, 8, callback, module=OnTheBar(), data=loops.Samples(3), accumulate_grad_batches=2)
        counts.append(len(reads))
    assert counts[0] == counts[1] > 0
    assert callback.guard.monitor.diagnostics()["points"] == 8


@pytest.mark.parametrize("hidden", [{}, {"_results": None}, {"_results": {"x": object()}}])
def test_what_was_logged_is_found_in_another_release_as_well(hidden):
    trainer = SimpleNamespace(callback_metrics={"audio_loss": torch.tensor(4.0)}, accumulate_grad_batches=1, **hidden)
    assert LightningLosses(AudioLossGuard()).of(trainer, None, {})["audio"] == 4.0


def test_a_nan_that_is_returned_beside_a_finite_log_is_seen(tmp_path):
    class TextBreaks(Module):
        def training_step(self, batch, batch_idx):
            loss = self.model(**batch).loss
            self.log("train/audio_loss", loss / 8)
            return loss * float("nan") if batch_idx == 11 else loss

    callback = AudioLossLightning(Policy(critical=("stop",)))
    assert fit(tmp_path, 20, callback, module=TextBreaks()).global_step == 12


@pytest.mark.parametrize("where", [("meta", "meta"), ("meta", "cpu"), ("cpu", "meta"), ("meta", None)])
def test_both_losses_are_looked_at_where_the_device_is(where):
    """A meta tensor has nothing to read; on the CPU a loss from a device would be looked at before it is there."""
    logged, returned = (5.0 if each is None else torch.tensor(5.0, device=each) for each in where)
    assert _both(logged, returned)["audio"].device.type == "meta"


def test_no_value_is_missing_between_two_logs_of_a_module_that_returns_none(tmp_path):
    callback = AudioLossLightning(Policy(critical=("stop",)))
    single = values_of(tmp_path, 21, module=Still("bare"))
    fit(tmp_path, 21, callback, module=Sparse(5, returns=False))
    assert callback.guard.taken == []
    found = [(step, value) for step, value, _ in callback.guard.pipeline.watch.points]
    assert found == [(step, pytest.approx(single[step - 1], rel=1e-5)) for step in (1, 6, 11, 16, 21)]


def test_the_state_goes_through_the_checkpoint(tmp_path):
    data = loops.Samples(30, 11, 14, masked=True)
    first = AudioLossLightning(Policy(critical=("checkpoint", "stop")))
    fit(tmp_path, 30, first, data=data)
    path = tmp_path / "audioloss" / "step-12.ckpt"
    assert path.is_file()
    second = AudioLossLightning(Policy(critical=("checkpoint", "stop")), first_batches=0)
    fit(tmp_path, 14, second, data=data, resume=path, module=Module())
    (incident,) = second.guard.monitor.incidents
    assert (incident.first_step, incident.fire_count) == (12, 1)


class Poisoned(Module):
    def on_train_batch_start(self, batch, batch_idx):
        if self.global_step == 11:
            self.model.model.norm.weight.data.fill_(float("nan"))


class SavedInPart(Poisoned):
    """As one that trains a few layers of a large model, and saves these alone."""

    strict_loading = False

    def __init__(self):
        super().__init__()
        for name, each in self.named_parameters():
            each.requires_grad_("embed" not in name)

    def on_save_checkpoint(self, checkpoint):
        kept = {name: value for name, value in checkpoint["state_dict"].items() if "embed" not in name}
        checkpoint["state_dict"] = kept


@pytest.mark.parametrize("kind", [Poisoned, SavedInPart])
def test_a_rollback_puts_the_weights_back(tmp_path, kind):
    policy = Policy(critical=("rollback",), options={"rollback": {"skip": 2}})
    callback = AudioLossLightning(policy, window_size=5)
    saving = ModelCheckpoint(dirpath=tmp_path / "saved", every_n_train_steps=5, save_top_k=-1)
    module = kind()
    fit(tmp_path, 20, callback, module=module, more=[saving])
    (taken,) = callback.guard.taken
    assert (taken.step, taken.done, taken.recovered) == (12, True, True)
    assert "step=10.ckpt" in taken.outcome
    assert all(torch.isfinite(each).all() for each in module.parameters())


def test_a_rollback_goes_to_no_checkpoint_of_an_earlier_run(tmp_path):
    """Lightning leaves it in its folder, and writes ``...-v1.ckpt`` beside it."""

    def saving():
        return ModelCheckpoint(dirpath=tmp_path / "saved", every_n_train_steps=5, save_top_k=-1)

    fit(tmp_path, 7, AudioLossLightning(), more=[saving()])
    policy = Policy(critical=("rollback",))
    data = loops.Samples(64, 8, 9, masked=True)
    callback = AudioLossLightning(policy, window_size=5, first_batches=0)
    fit(tmp_path, 9, callback, data=data, more=[saving()])
    assert "step=5-v1.ckpt" in callback.guard.taken[0].outcome
    callback = AudioLossLightning(policy, window_size=5, first_batches=0)
    fit(tmp_path, 4, callback, data=loops.Samples(64, 3, 4, masked=True), more=[saving()])
    assert "no checkpoint is known" in callback.guard.taken[0].outcome


def test_a_rollback_of_a_resumed_run_goes_to_what_was_saved_before(tmp_path):
    def saving():
        return ModelCheckpoint(dirpath=tmp_path / "saved", every_n_train_steps=5, save_top_k=-1)

    fit(tmp_path, 10, AudioLossLightning(), more=[saving()])
    callback = AudioLossLightning(Policy(critical=("rollback",)), window_size=5, first_batches=0)
    data, resume = loops.Samples(64, 0, masked=True), tmp_path / "saved" / "epoch=0-step=10.ckpt"
    fit(tmp_path, 12, callback, data=data, resume=resume, module=Module(), more=[saving()])
    assert "step=5.ckpt" in callback.guard.taken[0].outcome


def test_alerts_go_into_the_tensorboard_of_the_run(tmp_path):
    logger = TensorBoardLogger(tmp_path, name="", version="run")
    callback = AudioLossLightning(Policy(critical=("stop",)))
    fit(tmp_path, 20, callback, data=loops.Samples(20, 11, masked=True), logger=logger)
    logger.finalize("success")
    (run,) = scan([str(tmp_path / "run")]).runs
    assert {"alerts/audio_loss", "alerts/severity"} <= set(run.tags)
    assert run.series[0].incidents[0].first_step == 12


class Manual(Module):
    """Its optimisation is its own, and so is what it returns."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        loss = self.model(**batch).loss / 8
        self.optimizers().zero_grad()
        self.manual_backward(loss)
        self.optimizers().step()
        return {"loss": loss.detach() * torch.ones(3)}


def test_losses_that_are_several_numbers_end_no_training(tmp_path, caplog):
    callback = AudioLossLightning(Policy(critical=(), warning=()))
    assert fit(tmp_path, 8, callback, module=Manual()).global_step == 8
    assert "a loss cannot be read: loss must be one number" in caplog.text
