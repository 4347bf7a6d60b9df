"""JSON lines: one object a line, nested keys and lists joined with ``/``, plain, gzip or Zstandard.

Claims: ``*.jsonl``, ``*.ndjson``; ``*.json``, ``*.txt``, ``*.log`` and files without an extension, standard input among
them, of which at least half of the first lines are JSON objects.

Example: ``{"step": 10, "train": {"audio_loss": 6.91, "text_loss": 2.3}}``
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 50
CONTINUES = False

_EXTENSIONS = {".jsonl", ".ndjson"}
_PERHAPS = {".json", ".txt", ".log", ""}
_LINES_TO_SNIFF, _LINES_THAT_CONVINCE, _ROWS_TO_LOOK_AT = 10, 2, 50


def claims(file: LogFile) -> bool:
    """By extension, or when at least half of the lines are JSON objects; no document of several lines, no samples.

    Lines of Python (``{'loss': 4.2}``) are console output, in whatever file they are.
    """
    if file.suffix not in _EXTENSIONS | _PERHAPS:
        return False
    from audioloss_cli.readers._json import is_document  # noqa: PLC0415  # 10 ms that event files do not need

    lines = file.lines
    if file.is_damaged and file.suffix and len(lines) <= _LINES_THAT_CONVINCE:
        return True  # too little of it can be seen: to read it is to say so
    if is_document(lines[:2]) or _are_of_python(lines[:_LINES_TO_SNIFF]):
        return False
    return _are_of_a_training(lines) and (file.suffix in _EXTENSIONS or _are_rows(lines))


def disclaims(file: LogFile) -> str:
    """See ``RowReader``; of files whose first line is an object."""
    if not file.head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"{") or _are_of_a_training(file.lines):
        return ""
    from audioloss_cli.readers._rows.purpose import SAMPLES  # noqa: PLC0415

    return SAMPLES


def _are_of_python(lines: Sequence[bytes]) -> bool:
    return 2 * sum(line.lstrip().startswith((b"{'", b"{ '")) for line in lines) > len(lines)


def _are_rows(lines: Sequence[bytes]) -> bool:
    """At the start, or all over the first 64 KiB, where the start is damaged."""
    found = [_object(line) is not None for line in lines]
    return any(
        sum(part) >= _LINES_THAT_CONVINCE and 2 * sum(part) >= len(part) for part in (found[:_LINES_TO_SNIFF], found)
    )


def _are_of_a_training(lines: Sequence[bytes]) -> bool:
    from audioloss_cli.readers._rows.purpose import is_training_log  # noqa: PLC0415

    rows = [row for line in lines[:_ROWS_TO_LOOK_AT] if (row := _object(line)) is not None]
    return not rows or is_training_log(rows)


def _object(line: bytes) -> dict[str, Any] | None:
    from audioloss_cli.readers._json import parse_object  # noqa: PLC0415
    from audioloss_cli.readers.jsonl.salvage import peeled  # noqa: PLC0415

    return parse_object(line) or parse_object(peeled(line))


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
