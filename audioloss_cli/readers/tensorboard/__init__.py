"""TensorBoard event files, of any writer: several files a run, nested directories, checksums verified.

Claims: files with ``tfevents`` in their name.

Example: ``runs/Nov30_12-00-00_host/events.out.tfevents.1700000000.host.1.0``
"""

from pathlib import Path

from audioloss_cli.readers.tensorboard.reading import read
from audioloss_cli.readers.tensorboard.together import read_many
from audioloss_cli.storage.log_file import LogFile

__all__ = ["CONTINUES", "ORDER", "claims", "read", "read_many", "run_of"]

ORDER = 10
CONTINUES = True


def claims(file: LogFile) -> bool:
    """Follow TensorBoard's own rule: ``tfevents`` in the name; the profiler's empty marker file is no log."""
    return "tfevents" in file.name and not file.name.endswith(".profile-empty")


def run_of(path: Path) -> Path:
    """Return the directory: all event files of one are of one run."""
    return path.parent
