"""Weights & Biases: a run's transaction log, its history as JSON lines, what ``wandb leet inspect --json`` prints.

Every scalar of ``wandb.log`` at its ``_step``, or at the step of the training that a trainer logs beside it
(``train/global_step``); media, histograms, the summary and the system metrics are no series.

Claims: ``*.wandb``, ``wandb-history.jsonl``; files that start with ``:W&B`` or as what ``leet inspect --json`` prints

Example: ``wandb/offline-run-20260101_120000-k3x8a2q1/run-k3x8a2q1.wandb``
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 21
CONTINUES = False

MAGIC = b":W&B"
HISTORY_FILE = "wandb-history.jsonl"
_RUN_DIRECTORIES = ("run-", "offline-run-", "latest-run")
_INSPECTED = (b'{"num":', b'"type":')  # how a line of ``leet inspect --json`` starts, and what follows


def claims(file: LogFile) -> bool:
    """Tell by the extension, the name of the history file, the magic bytes, or the first line."""
    if file.suffix == ".wandb" or file.name == HISTORY_FILE:
        return True
    return file.head.startswith((MAGIC, _INSPECTED[0])) and (file.head.startswith(MAGIC) or is_inspected(file.head))


def is_inspected(head: bytes) -> bool:
    """Tell whether the first bytes of a file are a record as ``wandb leet inspect --json`` prints it."""
    return head.startswith(_INSPECTED[0]) and _INSPECTED[1] in head[:64]


def run_of(path: Path) -> Path:
    """Return the run's directory, ``wandb/run-...`` or ``wandb/offline-run-...``; the file where it lies elsewhere."""
    directory = path.parent.parent if path.parent.name == "files" else path.parent
    if directory.name.startswith(_RUN_DIRECTORIES) or directory.parent.name == "wandb":
        return directory
    return path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect]:
    """Yield every number of every history row; a Defect for each damaged place.

    The step is ``_step``, the wall time ``_timestamp``; the parts of a nested key are joined with ``/``. A null in a
    column that held numbers is ``MISSING``, as in JSON lines.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.wandb.reading import read as read_file  # noqa: PLC0415  # names tell most logs

    return read_file(path, options)
