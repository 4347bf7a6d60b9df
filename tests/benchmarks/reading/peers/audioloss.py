"""audioloss's own readers: whole series by tag, through the registry.

All that they import is imported beforehand, as the peers have it: a reader that imports something late would have the
import counted as reading.
"""

from pathlib import Path

import audioloss_cli.readers.jsonl.typed
import audioloss_cli.readers.tensorboard.arrays
import audioloss_cli.readers.text.reading
import audioloss_cli.readers.trainer_state.reading
import audioloss_cli.readers.wandb.reading  # noqa: F401
from audioloss_cli import registry
from audioloss_cli.model import Defect, ReadOptions, Series

READERS = {name: registry.load("readers", name) for name in ("tensorboard", "jsonl", "text", "trainer_state", "wandb")}


def events(path: Path) -> int:
    """Every tag, checksums verified."""
    return _points("tensorboard", path, ReadOptions())


def events_unchecked(path: Path) -> int:
    """Every tag, checksums not verified."""
    return _points("tensorboard", path, ReadOptions(checksum=False))


def rows(path: Path) -> int:
    """Two columns: ``audio_loss``, and the step that belongs to it."""
    return _points("jsonl", path, ReadOptions(wanted=lambda tag: tag == "audio_loss"))


def history(path: Path) -> int:
    """Every column, checksums verified; the points of the loss count."""
    chunks = [item for item in READERS["wandb"].read(path, ReadOptions()) if isinstance(item, Series)]
    return sum(len(item) for item in chunks if item.tag == "train/audio_loss")


def lines(path: Path) -> int:
    """The audio loss, and the step that belongs to it."""
    return _points("text", path, ReadOptions(wanted=lambda tag: tag == "Audio Loss"))


def log_history(path: Path) -> int:
    """Every tag of every row; the points of ``loss`` count."""
    chunks = [item for item in READERS["trainer_state"].read(path, ReadOptions()) if isinstance(item, Series)]
    return sum(len(item) for item in chunks if item.tag == "loss")


def _points(reader: str, path: Path, request: ReadOptions) -> int:
    chunks: dict[str, list[Series]] = {}
    for item in READERS[reader].read(path, request):
        if isinstance(item, Defect):
            raise RuntimeError(f"{item.place}: {item.message}")  # noqa: TRY004  # damaged data, no wrong type
        if isinstance(item, Series):
            chunks.setdefault(item.tag, []).append(item)
    return sum(len(Series.join(parts)) for parts in chunks.values())
