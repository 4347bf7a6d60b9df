"""One JSON document: an array of rows, objects one after the other over several lines, or an object of columns.

Claims: text, on standard input as well, that is one JSON array or object over several lines, or a list for each metric,
and holds losses or steps

Example: ``{"loss": [6.9, 6.1, 5.8], "val_loss": [7.0, 6.4, 6.2]}``
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 60
CONTINUES = False

_EXTENSIONS = {".json", ".jsonl", ".ndjson", ".txt", ".log", ""}


def claims(file: LogFile) -> bool:
    """By what the first 64 KiB hold; a damaged row at the start disclaims no log."""
    if file.suffix not in _EXTENSIONS or file.head.lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1] not in (b"{", b"["):
        return False
    from audioloss_cli.readers.json.claim import looks_like_log  # noqa: PLC0415  # names and first bytes tell most

    return looks_like_log(file)


def run_of(path: Path) -> Path:
    """Return the file: each is a run."""
    return path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect]:
    """Yield every number of every row, and a Defect for each place that is no JSON.

    The step of a row is found as in JSON lines; where it has none, it is the number of the row in the document, or in
    the lists of an object of columns.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.json.reading import read_document  # noqa: PLC0415  # for what is read alone

    yield from read_document(path, options)
