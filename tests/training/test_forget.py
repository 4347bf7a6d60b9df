"""A batch of which nothing is learnt, under a scaler of losses: that of fp16, which works on the CPU as well."""

import lightning
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from transformers import TrainerCallback

from audioloss_cli.training import AudioLossCallback, AudioLossLightning, Policy
from audioloss_cli.training.response.restore import forget_gradients
from tests.training import loops

SILENT = Policy(critical=(), warning=())


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
