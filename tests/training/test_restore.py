"""A run that is put back in place: to which checkpoint, with which weights, and batches of which nothing is learnt."""

import math

import lightning
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from safetensors.torch import save_file
from transformers import TrainerCallback

from audioloss_cli.training import ActionError, AudioLossCallback, AudioLossGuard, AudioLossLightning, Policy
from audioloss_cli.training.response.restore import forget_gradients, load_weights
from tests.probe import tiny_siblings
from tests.training import loops

SILENT = Policy(critical=(), warning=())


def guard_of(directory):
    policy = Policy(critical=("rollback",), warning=())
    return AudioLossGuard(policy=policy, model=torch.nn.Linear(1, 1), directory=directory, window_size=10)


def went_to(guard):
    (taken,) = guard.taken
    return taken.outcome.rsplit("checkpoint-", 1)[-1].removesuffix(".pt") if taken.done else None


@pytest.mark.parametrize("stride", [1, 2, 10])
def test_the_weights_must_have_been_tried_by_a_loss_that_was_good(tmp_path, stride):
    """Two optimisers count two steps a batch; a loop may call its steps as it likes."""
    guard = guard_of(tmp_path)
    for number in range(1, 12):
        guard.step(5.0 + number / 100 if number < 11 else math.nan, step=number * stride)
        guard.save_checkpoint()
    assert went_to(guard) == str(9 * stride)


def test_a_loss_that_is_logged_now_and_then_is_that_of_all_steps_since(tmp_path):
    guard = guard_of(tmp_path)
    for step in range(1, 50):
        guard.step(5.0 + step % 7 / 100)
        if step % 4 == 0:
            guard.save_checkpoint()
        if step % 10 == 0:
            guard.pipeline.logged(math.nan if step == 40 else 40.0 + step % 3, step)
    assert went_to(guard) == "28"


def spoilt(model):
    with torch.no_grad():
        for each in model.parameters():
            each.fill_(float("nan"))
    return model


def copied(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("make", [loops.model, tiny_siblings.csm_model, tiny_siblings.moshi_model])
def test_whatever_names_transformers_saves_them_under(make, tmp_path):
    """CSM holds a codec whose names in a file are those of old."""
    model = make()
    before = copied(model)
    model.save_pretrained(tmp_path)
    load_weights(spoilt(model), tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("prefixed", [False, True])
def test_a_compiled_model(tmp_path, prefixed):
    model = loops.model()
    before = copied(model)
    compiled = torch.compile(model, backend="eager")
    if prefixed:  # as the Trainer saves it
        save_file({name: each.clone() for name, each in compiled.state_dict().items()}, tmp_path / "model.safetensors")
    else:
        model.save_pretrained(tmp_path)
    spoilt(model)
    load_weights(compiled, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_nothing_of_another_model_is_loaded(tmp_path):
    other = loops.model(1)
    other.register_buffer("more", torch.zeros(2))
    other.save_pretrained(tmp_path)
    model = loops.model()
    before = copied(model)
    with pytest.raises(ActionError, match="is of another model: this one has no more"):
        load_weights(model, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("kind", ["AdamW", "SGD", "Adagrad", "RMSprop", "NAdam"])
def test_no_moment_of_a_nan_outlives_a_rollback_to_weights_alone(tmp_path, kind):
    """As those that a Trainer saves with save_only_model, and Lightning with save_weights_only."""
    model = torch.nn.Linear(2, 2)
    more = {"momentum": 0.9} if kind == "SGD" else {}
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.01, **more)
    guard = AudioLossGuard(policy=Policy(critical=("rollback",)), model=model, optimizer=optimizer, directory=tmp_path)

    def step(factor):
        optimizer.zero_grad()
        (model(torch.ones(1, 2)).square().sum() * factor).backward()
        optimizer.step()

    for loss in (5.0, 5.1, 5.2, math.nan):
        step(1.0 if math.isfinite(loss) else math.nan)
        if loss == 5.0:
            torch.save({"model": model.state_dict()}, tmp_path / "weights.pt")
            guard.checkpoints.add(1, tmp_path / "weights.pt")
        guard.step(loss)
    assert "weights restored, but no optimiser state" in guard.taken[0].outcome
    step(1.0)
    assert all(torch.isfinite(each).all() for each in model.parameters())


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("value", [1.0, float("inf")])
def test_a_scaler_that_finds_no_gradients_has_looked_at_them(fused, looked, value):
    part = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(part.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu")
    for step in range(4):
        before = [each.detach().clone() for each in part.parameters()]
        scaler.scale(part(torch.full((1, 2), value if step == 1 else 1.0)).sum()).backward()
        if looked:
            scaler.unscale_(optimizer)
        if step in (1, 2):
            forget_gradients(optimizer, scaler)
        scaler.step(optimizer)
        scaler.update()
        moved = any((one != each).any() for one, each in zip(before, part.parameters(), strict=True))
        assert moved is (step in (0, 3))
        optimizer.zero_grad()
    assert scaler.get_scale() == (2.0**16 if value == 1.0 else 2.0**15)  # an overflow is one, learnt from or not


class Skips:
    """Asks for two steps of which nothing is learnt, and notes at which steps the weights moved."""

    def __init__(self, loop):
        self.loop, self.moved, self.before = loop, [], None

    def see(self, parameters, step):
        now = torch.cat([each.detach().flatten().clone() for each in parameters])
        if self.before is not None and bool((now != self.before).any()):
            self.moved.append(step)
        self.before = now
        if step == 2:
            self.loop.skip(2)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0])
@pytest.mark.parametrize("optim", ["adamw_torch", "adamw_torch_fused"])
def test_the_trainer_skips_batches_under_a_scaler(tmp_path, max_grad_norm, optim):
    callback = AudioLossCallback(SILENT, jsonl=False)
    skips = Skips(callback.loop)

    class Watching(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **kwargs):
            skips.see(model.parameters(), state.global_step)

    made = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(tmp_path, 7, max_grad_norm=max_grad_norm, optim=optim),
        train_dataset=loops.Samples(7),
        callbacks=[callback, Watching()],
    )
    made.accelerator.scaler = torch.amp.GradScaler("cpu")  # as fp16=True makes it on a device
    made.train()
    assert skips.moved == [2, 5, 6, 7]
    assert callback.guard.monitor.diagnostics()["points"] == 7


@pytest.mark.filterwarnings("ignore:.*num_workers.*", "ignore:.*isinstance.*treespec.*", "ignore:.*log_every_n_steps.*")
@pytest.mark.parametrize("fused", [False, True])
def test_lightning_skips_batches_under_a_scaler(tmp_path, fused):
    callback = AudioLossLightning(SILENT, jsonl=False)
    skips = Skips(callback.loop)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.part = torch.nn.Linear(2, 1)

        def training_step(self, batch, batch_idx):
            return self.part(batch).square().sum()

        def on_train_batch_end(self, *args):
            skips.see(self.parameters(), self.trainer.global_step)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-2, fused=fused)

    trainer = lightning.Trainer(
        max_steps=7,
        accelerator="cpu",
        callbacks=[callback],
        plugins=[MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
        logger=False,
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.ones(16, 2), batch_size=1))
    assert skips.moved == [2, 5, 6, 7]
