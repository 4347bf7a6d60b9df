"""What actions may do to a ``transformers.Trainer``."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from audioloss_cli.training.response.alert_context import ActionError
from audioloss_cli.training.response.restore import (
    forget_moments,
    load_optimizer,
    load_tensors,
    load_weights,
    refuse_sharded,
)
from audioloss_cli.training.transport.ranks import find_ranks


class TrainerLoop:
    """The Trainer's control, and what its events hand over."""

    def __init__(self) -> None:
        self.model: Any = None
        self.optimizer: Any = None
        self.scheduler: Any = None
        self.args: Any = None
        self.control: Any = None
        self.skips = 0
        self._one_more: Any = None  # arguments by which one checkpoint more is kept than the Trainer was told

    @property
    def optimizers(self) -> Sequence[Any]:
        """The one of the Trainer."""
        return [] if self.optimizer is None else [self.optimizer]

    @property
    def schedulers(self) -> Sequence[Any]:
        """The one of the Trainer."""
        return [] if self.scheduler is None else [self.scheduler]

    def path(self, step: int) -> Path:
        """Where the Trainer writes the checkpoint of a step."""
        return Path(self.args.output_dir) / f"checkpoint-{step}"

    def begin(self) -> None:
        """A training begins: what one before it left to do, as an exception came, is not for this one."""
        self.skips = 0
        self.saved()

    def save(self, step: int) -> str:
        """The Trainer writes it itself, with all that a resume needs, when this step's callbacks are done.

        A rollback at the same alert comes before that. It is kept beside the others: ``save_total_limit`` would have
        the last healthy one deleted for what may be broken.

        Raises:
            ActionError: the Trainer will not write it, or cannot, which would end the training.
        """
        path = self.path(step)
        if self.args.save_strategy == "best" and self.control.should_evaluate:
            raise ActionError("save_strategy='best' has the Trainer save nothing else at an evaluation: use 'steps'")
        if find_ranks() is None:  # else all ranks must come to the same, and the disk may be that of one
            _check_place(path, _least_bytes(self.model))
        if self.args.save_total_limit and self._one_more is None:
            self.args.save_total_limit += 1
            self._one_more = self.args
        self.control.should_save = True
        return str(path)

    def saved(self) -> None:
        """A checkpoint was written, and what was too many deleted."""
        if self._one_more is not None:  # perhaps those of a training that was ended before it was written
            self._one_more.save_total_limit -= 1
            self._one_more = None

    def restore(self, path: str) -> str:
        """Weights and optimiser; steps and schedule go on."""
        where = Path(path)
        refuse_sharded(self.model, f"stop, and resume from {path}")
        load_weights(self.model, where)
        if not (where / "optimizer.pt").is_file() or self.optimizer is None:
            forget_moments(self.optimizers)
            return "weights restored, but no optimiser state,"
        load_optimizer(self.optimizer, load_tensors(where / "optimizer.pt"))
        return "weights and optimiser restored"

    def skip(self, batches: int) -> None:
        """Their gradients are thrown away before the optimiser sees them."""
        self.skips += batches

    def stop(self) -> None:
        """After this step, in the Trainer's own way."""
        self.control.should_training_stop = True


def _least_bytes(model: Any) -> int:
    """Of an adapter no more is saved than what is trained."""
    return 0 if model is None else sum(each.nbytes for each in model.parameters() if each.requires_grad)


def _check_place(path: Path, least: int) -> None:
    """Whether a checkpoint can be written; the Trainer would raise if not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent if not path.exists() else path):
            free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise ActionError(f"{path} cannot be written: {error.strerror}") from error
    if free < least:
        raise ActionError(f"{path} cannot be written: {least / 1e9:.3g} GB of weights, {free / 1e9:.3g} GB free")
