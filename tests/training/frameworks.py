"""The same samples through every door of the guard: a plain loop, a Trainer, one with the mixin, and Lightning."""

import lightning
import torch
from torch.utils.data import DataLoader

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, AudioLossLightning, AudioLossMixin
from tests.training import loops

QUIET = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "logger", "enable_checkpointing"), False)


def together(samples):
    """Batches of one."""
    return {name: value[None] for name, value in samples[0].items()}


def by_guard(directory, samples, accumulation=1, **settings):
    net = loops.model(use_text_head=True)
    guard = AudioLossGuard(directory=directory, model=net, **settings)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for number, sample in enumerate(samples, 1):
        batch = together([sample])
        outputs = net(**batch)
        outputs.loss.backward()
        whole = number % accumulation == 0
        if whole:
            optimizer.step()
            optimizer.zero_grad()
        guard.step(outputs.loss, batch=batch, outputs=outputs, sync_gradients=whole)
    guard.finish()
    return guard


def by_trainer(directory, samples, accumulation=1, kind=loops.InOrder, **settings):
    callback, net = AudioLossCallback(**settings), loops.model(use_text_head=True)
    args = loops.arguments(directory, len(samples) // accumulation, gradient_accumulation_steps=accumulation)
    kind(model=net, args=args, train_dataset=samples, callbacks=[callback], data_collator=together).train()
    return callback.guard


class WithMixin(AudioLossMixin, loops.InOrder):
    """Nothing else is to be done."""


def by_mixin(directory, samples, accumulation=1, **settings):
    return by_trainer(directory, samples, accumulation, WithMixin, **settings)


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = loops.model(use_text_head=True)

    def training_step(self, batch, batch_idx):
        return self.model(**batch).loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def by_lightning(directory, samples, accumulation=1, **settings):
    callback = AudioLossLightning(**settings)
    how = {"max_epochs": 1, "accelerator": "cpu", "accumulate_grad_batches": accumulation, **QUIET}
    trainer = lightning.Trainer(callbacks=[callback], default_root_dir=directory, **how)
    trainer.fit(Module(), DataLoader(samples, batch_size=1, collate_fn=together))
    return callback.guard


ALL = (by_guard, by_trainer, by_mixin, by_lightning)
