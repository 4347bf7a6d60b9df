"""Tables of numbers: Lightning's metrics.csv, Keras' CSVLogger, YOLO's results.csv, exports of TensorBoard and W&B.

Claims: ``*.csv``, ``*.tsv`` and other text with a header in which a loss, a step or an epoch is named and numbers below
it; cells parted by comma, semicolon (with decimal commas as well), tab or bar.

Example: ``step,audio_loss,lr`` and then ``10,6.91,0.0001``
"""

import re
from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 40
CONTINUES = False

_TABLES = {".csv", ".tsv"}
_PERHAPS = {".txt", ".log", ".out", ".dat", ""}
_DELIMITERS = re.compile(rb"[,;\t|]")
# Loggers give each run a directory and the table in it this name.
_OF_A_DIRECTORY = re.compile(
    r"(?:metrics|results|progress|history|log)\.(?:csv|tsv)(?:\.\d+)?(?:\.gz|\.zst)?", re.IGNORECASE
)
_LOG = re.compile(
    r"(?:^|[^a-z])(?:metrics?|history|scalars?|loss(?:es)?|(?:train|training)(?:[-_.]?(?:logs?|stats))?)(?![a-z])"
)


def claims(file: LogFile) -> bool:
    """By the header and the first rows; one with the name of a log as well whose header is damaged."""
    if file.suffix in _PERHAPS:
        first = file.head[:4096].lstrip()
        if not _DELIMITERS.search(first.partition(b"\n")[0]) or first.startswith((b"{", b"[", b"<")):
            return False
    elif file.suffix not in _TABLES:
        return False
    from audioloss_cli.readers.csv.layout import is_log, is_no_header  # noqa: PLC0415  # the names tell most logs

    if is_log(file.lines, file.name, surely=file.suffix not in _TABLES):
        return not disclaims(file)
    if file.suffix not in _TABLES:
        return False
    if file.is_damaged and len(file.lines) <= 1:
        return True  # too little of it can be seen: to read it is to say so
    return bool(_LOG.search(file.name)) and is_no_header(file.lines)


def disclaims(file: LogFile) -> str:
    """See ``RowReader``."""
    if file.suffix not in _TABLES:
        return ""
    from audioloss_cli.readers._rows.purpose import SAMPLES, is_training_log  # noqa: PLC0415
    from audioloss_cli.readers.csv.layout import first_rows  # noqa: PLC0415

    rows = first_rows(file.lines, file.name)
    return SAMPLES if rows and not is_training_log(rows) else ""


def run_of(path: Path) -> Path:
    """Return the directory of a table that has the name which loggers give each; any other table is a run by itself."""
    return path.parent if _OF_A_DIRECTORY.fullmatch(path.name) else path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor]:
    """Yield every number of every row; a Defect for each kind of damage.

    The step column is chosen as in JSON rows; a row of a table without one happened at its line. An empty cell, and
    what is no number in a column of numbers, is ``MISSING``, unless the row is one of another kind: an evaluation row,
    or one with a number where rows with a number in this column are empty.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.csv.reading import Reading  # noqa: PLC0415  # msgspec: 10 ms that event files do not need

    return Reading(path, options).run()
