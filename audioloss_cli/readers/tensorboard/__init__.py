"""TensorBoard event files, from any writer: TFRecord framing around ``tensorboard.Event`` messages."""

from pathlib import Path
from typing import Literal

from audioloss_cli.readers.tensorboard.reading import read
from audioloss_cli.readers.tensorboard.together import read_many

__all__ = ["GROUPING", "claims", "read", "read_many"]

GROUPING: Literal["directory", "file"] = "directory"


def claims(path: Path) -> bool:
    """TensorBoard's own rule: ``tfevents`` in the name; the profiler's empty marker file is no log."""
    return "tfevents" in path.name and not path.name.endswith(".profile-empty")
