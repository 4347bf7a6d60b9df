"""What actions may do to a plain loop, or to one of Accelerate."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from audioloss_cli.probe.model_io.signature import unwrapped
from audioloss_cli.training.response.alert_context import ActionError
from audioloss_cli.training.response.restore import forget_moments, load_optimizer, load_tensors, refuse_sharded
from audioloss_cli.training.transport.ranks import find_ranks


class PlainLoop:
    """Saves and restores with torch, unless the loop brings its own ways.

    Attributes:
        stopped: an action asked to end the training.
        skips: batches that nothing is to be learnt from.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        scheduler: Any,
        directory: Path,
        save: Callable[[int], str | Path] | None = None,
        restore: Callable[[str], object] | None = None,
    ) -> None:
        self.model, self._directory = model, directory
        self._optimizer, self._scheduler = optimizer, scheduler
        self._save, self._restore = save, restore
        self.stopped = False
        self.skips = 0

    @property
    def optimizers(self) -> Sequence[Any]:
        """The one that was given."""
        return [] if self._optimizer is None else [self._optimizer]

    @property
    def schedulers(self) -> Sequence[Any]:
        """The one that was given."""
        return [] if self._scheduler is None else [self._scheduler]

    def save(self, step: int) -> str:
        """``<directory>/checkpoint-<step>.pt`` with weights, optimiser and schedule; rank 0 writes it."""
        if self._save is not None:
            return str(self._save(step))
        if self.model is None:
            raise ActionError("there is nothing to save: give model= (and optimizer=) or save= to the guard")
        refuse_sharded(self.model, "give save= and restore= to the guard")
        path = self._directory / f"checkpoint-{step}.pt"
        ranks = find_ranks()
        if ranks is None or ranks.rank == 0:
            try:
                self._write(path)
            except (OSError, RuntimeError) as error:  # torch.save raises either
                raise ActionError(f"{path} cannot be written: {' '.join(str(error).split())[:200]}") from error
        return str(path)

    def _write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        torch.save({name: part.state_dict() for name, part in self._parts().items()}, unfinished)
        unfinished.replace(path)

    def restore(self, path: str) -> str:
        """Weights and optimiser; the schedule goes on.

        Gradients are set to 0: a loop may hand over its losses before the optimiser's step, which would put what was
        wrong with this step into the restored weights.
        """
        if self._restore is not None:
            self._restore(path)
            self._forget_gradients()
            return "restored"
        if self.model is None:
            raise ActionError("there is nothing to restore: give model= (and optimizer=) or restore= to the guard")
        refuse_sharded(self.model, "give save= and restore= to the guard")
        state = load_tensors(Path(path))
        unwrapped(self.model).load_state_dict(state["model"])
        self._forget_gradients()
        if self._optimizer is None or "optimizer" not in state:
            forget_moments(self.optimizers)
            return "weights restored, but no optimiser state,"
        load_optimizer(self._optimizer, state["optimizer"])
        return "weights and optimiser restored"

    def skip(self, batches: int) -> None:
        """``guard.batches(loader)`` leaves them out."""
        self.skips += batches

    def stop(self) -> None:
        """The loop looks at ``guard.should_stop``."""
        self.stopped = True

    def _forget_gradients(self) -> None:
        """In place: a scaler of losses (fp16) raises where there are none at all."""
        for each in self.model.parameters() if hasattr(self.model, "parameters") else ():
            if each.grad is not None:
                each.grad.zero_()

    def _parts(self) -> dict[str, Any]:
        parts = {"model": unwrapped(self.model), "optimizer": self._optimizer, "scheduler": self._scheduler}
        return {name: part for name, part in parts.items() if part is not None}
