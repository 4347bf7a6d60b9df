"""What the ModelCheckpoint callbacks of a run have written; Lightning tells nobody of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audioloss_cli.training.response.alert_context import ActionError
from audioloss_cli.training.response.restore import load_tensors


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
