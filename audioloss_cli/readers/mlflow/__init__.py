"""MLflow: the file store (a file a metric, several a run), and the SQLite database of all runs; neither is written to.

Runs that were deleted in MLflow are left out.

Claims: ``mlruns/EXPERIMENT/RUN/metrics/*``; ``mlflow.db``, other SQLite databases with MLflow's tables

Example: ``mlruns/0/3f2a.../metrics/train/audio_loss`` with lines ``1700000000000 6.91 10`` (milliseconds, value, step)
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 22
CONTINUES = True

_MAGIC = b"SQLite format 3\0"
_DATABASE = "mlflow.db"
_METRICS = "metrics"


def claims(file: LogFile) -> bool:
    """Tell a metric by its place below ``metrics`` and its first lines, a database by its name or its tables."""
    if file.name == _DATABASE:
        return True
    if _METRICS in file.path.parts[:-1]:
        from audioloss_cli.readers.mlflow.metric_file import is_metric  # noqa: PLC0415  # few files are metrics

        if is_metric(file):
            return True
    if not file.head.startswith(_MAGIC):
        return False
    from audioloss_cli.readers.mlflow.database import is_store  # noqa: PLC0415  # few files are databases

    return is_store(file)


def run_of(path: Path) -> Path:
    """Return the directory of a run in a file store, or the database, in which ``Series.run`` tells runs apart."""
    from audioloss_cli.readers.mlflow.metric_file import run_directory  # noqa: PLC0415

    return run_directory(path) or path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect]:
    """Yield the metric of a file, or every metric of every run of a database; a Defect for what cannot be read.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        is_database = stream.read(len(_MAGIC)) == _MAGIC
    if is_database or path.name.startswith(_DATABASE):
        from audioloss_cli.readers.mlflow.database import read_store  # noqa: PLC0415  # sqlite3

        yield from read_store(path, options)
    else:
        from audioloss_cli.readers.mlflow.metric_file import read_metric  # noqa: PLC0415

        yield from read_metric(path, options)
