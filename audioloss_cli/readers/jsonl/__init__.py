"""JSON lines: one object a line, plain, gzip or Zstandard."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from audioloss_cli.readers.jsonl.lines import head, read_lines
from audioloss_cli.readers.jsonl.rows import Row, parse_rows
from audioloss_cli.readers.jsonl.salvage import parse_object
from audioloss_cli.readers.jsonl.steps import choose_step
from audioloss_cli.readers.jsonl.table import Table
from audioloss_cli.records import Defect, Series

GROUPING: Literal["directory", "file"] = "file"

_EXTENSIONS = {".jsonl", ".ndjson"}
_PERHAPS = {".json", ".txt", ".log"}
_COMPRESSED = {".gz", ".zst"}
_LINES_THAT_CONVINCE = 2
_ROWS_TO_PEEK_AT = 100
_POINTS_OF_A_CHUNK = 1 << 18


def claims(path: Path) -> bool:
    """By extension; ``.json``, ``.txt`` and ``.log`` only when their first two lines are JSON objects.

    Raises:
        OSError: the file had to be opened and could not be.
    """
    suffixes = path.suffixes[:-1] if path.suffix in _COMPRESSED else path.suffixes
    extension = suffixes[-1] if suffixes else ""
    if extension in _PERHAPS:
        convincing = [parse_object(line) for line in head(path, _LINES_THAT_CONVINCE)]
        return len(convincing) == _LINES_THAT_CONVINCE and None not in convincing
    return extension in _EXTENSIONS


def read(path: Path) -> Iterator[Series | Defect]:
    """Every number of every row in line order, nested keys joined with ``/``; every bad line as a Defect.

    The step of a row is the first of ``steps.STEP_KEYS`` that the first rows have, else their whole-numbered epoch,
    else the line number; a row without it keeps the step of the row before. A null in a column that held numbers is
    ``MISSING``, unless the row is of another kind (an evaluation row of a fixed-column log).

    Raises:
        OSError: the file cannot be opened or read.
    """
    found = parse_rows(read_lines(path), str(path))
    peeked, first = [], list[Row]()
    for item in found:
        peeked.append(item)
        if isinstance(item, Row):
            first.append(item)
        if len(first) == _ROWS_TO_PEEK_AT:
            break
    table = Table(choose_step([row.values for row in first]), str(path))
    for item in chain(peeked, found):
        if isinstance(item, Defect):
            yield item
            continue
        yield from table.add(item)
        if table.points >= _POINTS_OF_A_CHUNK:
            yield from table.flush()
    yield from table.flush()
