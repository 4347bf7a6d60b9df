"""JSON lines: one object a line, plain, gzip or Zstandard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from audioloss_cli.records import EVERYTHING, Defect, Mark, Request, Series

GROUPING: Literal["directory", "file"] = "file"

_EXTENSIONS = {".jsonl", ".ndjson"}
_PERHAPS = {".json", ".txt", ".log"}
_COMPRESSED = {".gz", ".zst"}
_LINES_TO_SNIFF, _LINES_THAT_CONVINCE = 10, 2


def claims(path: Path) -> bool:
    """By extension; ``.json``, ``.txt`` and ``.log`` when at least half of their first lines are JSON objects.

    Capitals, a number behind the extension (a rotated log) and a compression do not matter.

    Raises:
        OSError: the file had to be opened and could not be.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and (suffixes[-1] in _COMPRESSED or suffixes[-1][1:].isdecimal()):
        suffixes.pop()
    extension = suffixes[-1] if suffixes else ""
    return extension in _EXTENSIONS or (extension in _PERHAPS and _looks_like_rows(path))


def _looks_like_rows(path: Path) -> bool:
    from audioloss_cli.readers._decompress import DamagedStreamError  # noqa: PLC0415  # names tell most logs
    from audioloss_cli.readers.jsonl.lines import head  # noqa: PLC0415
    from audioloss_cli.readers.jsonl.salvage import parse_object  # noqa: PLC0415

    try:
        first = head(path, _LINES_TO_SNIFF)
    except DamagedStreamError:
        return True  # too little of it can be seen: to read it is to say so
    rows = sum(parse_object(line) is not None for line in first)
    return rows >= _LINES_THAT_CONVINCE and 2 * rows >= len(first)


def read(path: Path, request: Request = EVERYTHING) -> Iterator[Series | Defect | Mark]:
    """Every number of every row in line order, nested keys and lists joined with ``/``; every bad line as a Defect.

    The step of a row is the first of ``steps.STEP_KEYS`` that the first rows have, else their whole-numbered epoch,
    else the line number; a row without it keeps the step of the row before. Anything but a number in a column
    that held numbers is ``MISSING``, unless the row is of another kind (an evaluation row of a fixed-column log).

    A mark is made for a file that is not compressed and has some thousand rows; smaller ones are read anew as fast.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.jsonl.reading import Reading  # noqa: PLC0415  # 10 ms that event files do not need

    return Reading(path, request).run()
