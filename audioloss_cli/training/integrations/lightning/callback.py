"""AudioLossLightning: the guard inside Lightning, ``Trainer(callbacks=[AudioLossLightning()])``.

What ``training_step`` returns is read: its loss alone, or a dict with ``audio_loss``, codebook losses and ``loss``; an
audio loss that the module logs with ``self.log`` is found as well.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:  # the same package under its older name
    from pytorch_lightning import (  # type: ignore[import-not-found, no-redef, assignment, unused-ignore]
        Callback,
        LightningModule,
        Trainer,
    )

from audioloss_cli.training.batches.recent import micro_batch, named_batch
from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.integrations.lightning.loop import FOLDER, LightningLoop, SavedCheckpoints
from audioloss_cli.training.integrations.lightning.step import LightningLosses, ModelInputs
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.restore import forget_gradients


class AudioLossLightning(Callback):
    """A callback of Lightning.

    Args:
        policy: which actions an alert asks for; a log record, a dump and advice if None.
        **settings: see ``AudioLossGuard``; ``directory`` is ``<default_root_dir>/audioloss`` if it is not given, and
            alerts go into the run's TensorBoard where it has one.

    Attributes:
        guard: the guard, with its monitor and what was done.

    Raises:
        ValueError: a setting that makes no sense.
    """

    def __init__(self, policy: Policy | None = None, **settings: Any) -> None:
        self._directory, self._board = settings.pop("directory", None), settings.pop("tensorboard", None)
        self._jsonl = settings.get("jsonl", True)
        self.loop = LightningLoop()
        self.guard = AudioLossGuard(policy=policy, loop=self.loop, **settings)
        self._step = -1
        self._made = 0  # optimiser steps so far: to ask the trainer for them costs as much as to read a loss
        self._inputs = ModelInputs()
        self._losses = LightningLosses(self.guard)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bind to the run."""
        self.loop.trainer, self.loop.model = trainer, pl_module
        self.loop.skips = 0  # left by a training that was ended by an exception
        self.guard.examiner.model = _inner(pl_module)
        self._inputs.attach(self.guard.examiner.model, pl_module)
        self._losses.start()
        self.guard.pipeline.begin()
        self._step = self._made = trainer.global_step
        board = self._board or (_writer(trainer) if trainer.is_global_zero else None)
        where = self._directory or Path(trainer.default_root_dir) / FOLDER
        self.guard.set_directory(where, board, jsonl=self._jsonl)
        self.guard.checkpoints.find = SavedCheckpoints(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """What was logged before this epoch is not of its first batch."""
        if batch_idx == 0:
            self._losses.epoch(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """One micro-batch; and the end of a step, where the optimiser made one."""
        self._made = step = trainer.global_step
        given, original = self._given(batch)
        if given is not None:  # losses are read by its layout
            self.guard.pipeline.show(micro_batch((given, original, (), None, False)))
        values = self._losses.of(trainer, outputs, batch)
        if values is None:
            return
        self.guard.pipeline.feed(values)
        if step != self._step:
            self._step = step
            logs = _logs_after(trainer, step)
            self.guard.pipeline.close(step, logs=logs)
            if logs:
                self._log_figures(trainer, step)

    def _log_figures(self, trainer: Trainer, step: int) -> None:
        """To the run's loggers; that of TensorBoard is written to with the alerts."""
        figures = self.guard.pipeline.log_now()
        for each in trainer.loggers if figures else ():
            if not _is_board(getattr(each, "experiment", None)):
                each.log_metrics(figures, step)

    def _given(self, batch: Any) -> tuple[Any, Any]:
        """What the model was given, and the batch before; None for what is not known."""
        named = named_batch(batch)
        return self._inputs.pair(named) if isinstance(named, (dict, Mapping)) else (None, None)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        """Learn nothing from this step, where a rollback asked for it."""
        self._made += 1
        if not self.loop.skips:
            if self.guard.pipeline.gradients.left:
                self.guard.pipeline.see_gradients(whole=True)
            if _logs_after(trainer, self._made):
                self.guard.pipeline.measure_gradients()
        else:
            self.loop.skips -= 1
            forget_gradients(optimizer, getattr(trainer.precision_plugin, "scaler", None))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read what is queued, and let go of the model."""
        self.guard.finish()
        self._inputs.let_go()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Let go of the model."""
        self._inputs.let_go()

    def state_dict(self) -> dict[str, Any]:
        """What Lightning puts into its checkpoint; all ranks come here."""
        self.guard.flush()
        return self.guard.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where it was taken."""
        self.guard.load_state_dict(state_dict)


def _writer(trainer: Any) -> Any:
    """Of the first TensorBoard logger."""
    experiments = (getattr(each, "experiment", None) for each in trainer.loggers)
    return next(filter(_is_board, experiments), None)


def _is_board(experiment: Any) -> bool:
    return hasattr(experiment, "add_scalar") and hasattr(experiment, "add_text")


def _logs_after(trainer: Trainer, step: int) -> bool:
    every = int(trainer.log_every_n_steps)  # type: ignore[attr-defined]  # set by its logger connector
    return every > 0 and step % every == 0


def _inner(module: Any) -> Any:
    """The model with a configuration inside a LightningModule; the module itself if there is none."""
    return next((each for each in module.modules() if hasattr(getattr(each, "config", None), "to_dict")), module)
