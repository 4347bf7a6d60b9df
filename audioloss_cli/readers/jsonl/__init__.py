"""JSON lines: one object a line, nested keys and lists joined with ``/``, plain, gzip or Zstandard.

Claims: ``*.jsonl``, ``*.ndjson``; any other text of which at least half of the first lines are JSON objects.

Example: ``{"step": 10, "train": {"audio_loss": 6.91, "text_loss": 2.3}}``
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 50
CONTINUES = False

_EXTENSIONS = {".jsonl", ".ndjson"}
_PERHAPS = {".json", ".txt", ".log"}
_LINES_TO_SNIFF, _LINES_THAT_CONVINCE = 10, 2


def claims(file: LogFile) -> bool:
    """By extension; ``.json``, ``.txt`` and ``.log`` when at least half of their first lines are JSON objects."""
    return file.suffix in _EXTENSIONS or (file.suffix in _PERHAPS and _looks_like_rows(file))


def _looks_like_rows(file: LogFile) -> bool:
    from audioloss_cli.readers.jsonl.parsing import parse_object  # noqa: PLC0415  # names tell most logs

    first = file.lines[:_LINES_TO_SNIFF]
    if file.is_damaged and len(first) <= _LINES_THAT_CONVINCE:
        return True  # too little of it can be seen: to read it is to say so
    rows = sum(parse_object(line) is not None for line in first)
    return rows >= _LINES_THAT_CONVINCE and 2 * rows >= len(first)


def run_of(path: Path) -> Path:
    """Return the file: each is a run."""
    return path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor]:
    """Yield every number of every row in line order; every bad line as a Defect.

    The step of a row is the first of ``STEP_KEYS`` in ``_rows/steps.py`` that the first rows have, else their
    whole-numbered epoch, else the line number; a row without it keeps the step of the row before. Anything but a number
    in a column that held numbers is ``MISSING``, unless the row is of another kind (an evaluation row of a fixed-column
    log).

    A cursor is made for a file that is not compressed and has some thousand rows; smaller ones are read anew as fast.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.jsonl.reading import Reading  # noqa: PLC0415  # 10 ms that event files do not need

    return Reading(path, options).run()
