"""The history of a run as JSON lines: ``wandb-history.jsonl``, and what ``wandb leet inspect --json`` prints."""

from collections.abc import Iterable, Iterator
from typing import Any

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED
from audioloss_cli.readers._logged import LONGEST_VALUE, value_of

_RECORD_TYPE, _HISTORY = "type", "history"
_STEP = "_step"

Parsed = tuple[int, dict[str, Any]]


def rows_of_lines(path: str, pieces: Iterable[bytes]) -> Iterator[Parsed | Defect]:
    """Yield the byte offset and the object of each row of the history, and a Defect for each line that is no object."""
    for number, (offset, line, ended) in enumerate(_lines(pieces), 1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not text.strip():
            continue
        found = value_of(text)
        if not isinstance(found, dict):
            cut = "the last line is cut off" if not ended else "the line is no JSON object"
            kind, message = ("malformed", f"{cut}; it was skipped") if ended else ("truncated", f"{cut}; {UNFINISHED}")
            yield Defect(path, kind, message, offset, number)  # type: ignore[arg-type]
        elif (row := _row(found)) is not None:
            yield offset, row


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the offset of each line, the line, and whether a newline ended it; of a very long one its first bytes."""
    kept, held, offset = list[bytes](), 0, 0
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield offset, b"".join([*kept, line]), True
            offset += held + len(line) + 1
            kept, held = [], 0
        held += len(rest)
        kept += [rest] if held <= LONGEST_VALUE + len(piece) else []
    if held:
        yield offset, b"".join(kept), False


def _row(found: dict[str, Any]) -> dict[str, Any] | None:
    """Return the row that an object holds: itself, or that of a record; None for a record of another kind."""
    if _RECORD_TYPE not in found or not isinstance(found.get("num"), int):
        return found
    history = found.get(_HISTORY)
    if found[_RECORD_TYPE] != _HISTORY or not isinstance(history, dict):
        return None
    item, step = history.get("item"), history.get("step")
    row = dict(item) if isinstance(item, dict) else {}
    if _STEP not in row and isinstance(step, dict):
        row[_STEP] = step.get("num", 0)
    return row
