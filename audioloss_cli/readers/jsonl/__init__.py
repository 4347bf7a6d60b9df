"""JSON lines: one object a line, plain, gzip or Zstandard."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from audioloss_cli.readers.jsonl.lines import DamagedStreamError, head, read_lines
from audioloss_cli.readers.jsonl.rows import Row, parse_rows
from audioloss_cli.readers.jsonl.salvage import parse_object
from audioloss_cli.readers.jsonl.steps import choose_step
from audioloss_cli.readers.jsonl.table import Table
from audioloss_cli.records import EVERYTHING, Defect, Request, Series, series

GROUPING: Literal["directory", "file"] = "file"

_EXTENSIONS = {".jsonl", ".ndjson"}
_PERHAPS = {".json", ".txt", ".log"}
_COMPRESSED = {".gz", ".zst"}
_ROTATED = re.compile(r"\.\d+")
_LINES_TO_SNIFF, _LINES_THAT_CONVINCE = 10, 2
_ROWS_TO_LEARN_FROM = 1000


def claims(path: Path) -> bool:
    """By extension; ``.json``, ``.txt`` and ``.log`` when at least half of their first lines are JSON objects.

    Capitals, a number behind the extension (a rotated log) and a compression do not matter.

    Raises:
        OSError: the file had to be opened and could not be.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and (suffixes[-1] in _COMPRESSED or _ROTATED.fullmatch(suffixes[-1])):
        suffixes.pop()
    extension = suffixes[-1] if suffixes else ""
    return extension in _EXTENSIONS or (extension in _PERHAPS and _looks_like_rows(path))


def _looks_like_rows(path: Path) -> bool:
    try:
        first = head(path, _LINES_TO_SNIFF)
    except DamagedStreamError:
        return True  # too little of it can be seen: to read it is to say so
    rows = sum(parse_object(line) is not None for line in first)
    return rows >= _LINES_THAT_CONVINCE and 2 * rows >= len(first)


def read(path: Path, request: Request = EVERYTHING) -> Iterator[Series | Defect]:
    """Every number of every row in line order, nested keys and lists joined with ``/``; every bad line as a Defect.

    The step of a row is the first of ``steps.STEP_KEYS`` that the first rows have, else their whole-numbered epoch,
    else the line number; a row without it keeps the step of the row before. Anything but a number in a column
    that held numbers is ``MISSING``, unless the row is of another kind (an evaluation row of a fixed-column log).

    Raises:
        OSError: the file cannot be opened or read.
    """
    found = parse_rows(read_lines(path), str(path))
    peeked, first = [], list[Row]()
    for item in found:
        peeked.append(item)
        if isinstance(item, Row):
            first.append(item)
        if len(first) == _ROWS_TO_LEARN_FROM:
            break
    table = Table(choose_step(first), str(path), request.wanted)
    for item in chain(peeked, found):
        if isinstance(item, Defect):
            yield item
            continue
        yield from table.add(item)
        if table.points >= series.POINTS_OF_A_CHUNK:
            yield from table.flush()
    table.end()
    yield from table.flush()
