"""What actions may do to a ``transformers.Trainer``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audioloss_cli.training.restore import load_optimizer, load_tensors, load_weights
from audioloss_cli.training.sharded import refuse_sharded


class TrainerLoop:
    """The Trainer's control, and what its events hand over."""

    def __init__(self) -> None:
        self.model: Any = None
        self.optimizer: Any = None
        self.scheduler: Any = None
        self.args: Any = None
        self.control: Any = None
        self.skips = 0

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

    def save(self, step: int) -> str:
        """The Trainer writes it itself, with all that a resume needs, when this step's callbacks are done.

        A rollback at the same alert comes before that.
        """
        self.control.should_save = True
        return str(self.path(step))

    def restore(self, path: str) -> str:
        """Weights and optimiser; steps and schedule go on."""
        where = Path(path)
        refuse_sharded(self.model, f"stop, and resume from {path}")
        load_weights(self.model, where)
        if not (where / "optimizer.pt").is_file() or self.optimizer is None:
            return "weights restored, but no optimiser state,"
        load_optimizer(self.optimizer, load_tensors(where / "optimizer.pt"))
        return "weights and optimiser restored"

    def skip(self, batches: int) -> None:
        """Their gradients are thrown away before the optimiser sees them."""
        self.skips += batches

    def stop(self) -> None:
        """After this step, in the Trainer's own way."""
        self.control.should_training_stop = True
