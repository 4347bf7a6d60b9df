"""Trackio: the SQLite database of a project, with all its runs; read without a lock, and nothing is written beside it.

Claims: SQLite databases with Trackio's table of metrics; ``*.db`` in a directory ``trackio``

Example: ``~/.cache/huggingface/trackio/my-project.db``
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 23
CONTINUES = False

_MAGIC = b"SQLite format 3\0"


def claims(file: LogFile) -> bool:
    """Tell by the tables of a database; by the directory where the database is damaged."""
    if file.suffix == ".db" and file.path.parent.name == "trackio":
        return True
    if not file.head.startswith(_MAGIC):
        return False
    from audioloss_cli.readers.trackio.project import is_project  # noqa: PLC0415  # few files are databases

    return is_project(file)


def run_of(path: Path) -> Path:
    """Return the database; the runs in it are told apart by ``Series.run``."""
    return path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect]:
    """Yield every number that was logged, nested names joined with ``/``; each run by its name.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.trackio.project import read_project  # noqa: PLC0415  # few files are databases

    return read_project(path, options)
