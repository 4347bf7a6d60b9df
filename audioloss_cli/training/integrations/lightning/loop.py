"""What actions may do to a Lightning trainer, and which checkpoints it has written."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from audioloss_cli.training.response.alert_context import ActionError
from audioloss_cli.training.response.restore import forget_moments, load_optimizer, load_tensors, refuse_sharded

#: In the default root directory: where files go.
FOLDER = "audioloss"


class LightningLoop:
    """The trainer, and the module that it trains."""

    def __init__(self) -> None:
        self.trainer: Any = None
        self.model: Any = None
        self.skips = 0

    @property
    def optimizers(self) -> Sequence[Any]:
        """Those of the trainer."""
        return [] if self.trainer is None else list(self.trainer.optimizers)

    @property
    def schedulers(self) -> Sequence[Any]:
        """Those of the trainer."""
        return [each.scheduler for each in self.trainer.lr_scheduler_configs]

    def save(self, step: int) -> str:
        """``<default_root_dir>/audioloss/step-<step>.ckpt``; Lightning has each rank do its part."""
        path = Path(self.trainer.default_root_dir) / FOLDER / f"step-{step}.ckpt"
        self.trainer.save_checkpoint(path)
        return str(path)

    def restore(self, path: str) -> str:
        """Weights and optimisers; steps and schedule go on. A checkpoint that holds other objects is not loaded."""
        refuse_sharded(self.model, f"stop, and go on with fit(..., ckpt_path={path!r})")
        state = load_tensors(Path(path))
        if "state_dict" not in state:
            raise ActionError(f"{path} is no checkpoint of Lightning: it has no state_dict")
        self.model.load_state_dict(state["state_dict"], strict=self.model.strict_loading)
        saved = state.get("optimizer_states", [])
        for optimizer, each in zip(self.optimizers, saved, strict=False):
            load_optimizer(optimizer, each)
        if not saved:
            forget_moments(self.optimizers)
        return "weights and optimiser restored" if saved else "weights restored, but no optimiser state,"

    def skip(self, batches: int) -> None:
        """Their gradients are thrown away before the optimiser sees them."""
        self.skips += batches

    def stop(self) -> None:
        """After this step, in Lightning's own way."""
        self.trainer.should_stop = True


class SavedCheckpoints:
    """Called: step and path of each, by name or else by content.

    An earlier run may have left its own in the same folder, beside which Lightning writes ``...-v1.ckpt``: what was
    there when the training began is of this run only if that was resumed, from as late a step.

    Args:
        trainer: at the start of its training.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer, self._begun = trainer, int(trainer.global_step)
        self._there = set(self._files())

    def __call__(self) -> Iterator[tuple[int, str]]:
        """In the order of their names."""
        for path, written in sorted(self._files()):
            step = _step_of(path)
            if step is not None and (step <= self._begun or (path, written) not in self._there):
                yield step, str(path)

    def _files(self) -> Iterator[tuple[Path, int]]:
        """Each with the time of its writing: one of the same name may take its place."""
        callbacks = self._trainer.checkpoint_callbacks
        for folder in {Path(each.dirpath) for each in callbacks if getattr(each, "dirpath", None)}:
            for path in folder.glob("*.ckpt"):
                try:
                    yield path, path.stat().st_mtime_ns
                except OSError:  # it is being deleted
                    continue


def _step_of(path: Path) -> int | None:
    """None for what is no checkpoint that can be read."""
    named = re.search(r"step=(\d+)", path.stem)
    try:
        return int(named[1]) if named else int(load_tensors(path)["global_step"])
    except (ActionError, KeyError):
        return None
