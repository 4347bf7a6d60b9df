"""Whether the beginning of a file is that of a JSON document that a training logged."""

from itertools import islice
from typing import Any

from audioloss_cli.readers._json import completed, is_document
from audioloss_cli.readers._rows import row_of
from audioloss_cli.readers._rows.purpose import has_metrics, is_training_log
from audioloss_cli.readers._rows.steps import choose_step
from audioloss_cli.readers.json.rows import rows_in, rows_of
from audioloss_cli.readers.json.scanner import Scanner
from audioloss_cli.storage.log_file import HEAD_BYTES, LogFile

_ROWS_TO_LOOK_AT = 50


def looks_like_log(file: LogFile) -> bool:
    """Whether there are rows with steps or with what trainings log; of one object, whether it holds rows."""
    is_cut = file.is_damaged or len(file.head) >= HEAD_BYTES
    text = file.head.decode("utf-8", "replace").removeprefix("\ufeff")
    objects = _objects(completed(text) if is_cut else text)
    if not objects or (len(objects) == 1 and not is_document(file.lines[:2]) and rows_in(objects[0]) is None):
        return False
    is_array = text.lstrip()[:1] == "["
    if len(objects) == 1 and not is_array and rows_in(objects[0]) is None:
        return False
    first = [item for item in islice(rows_of(iter(objects)), _ROWS_TO_LOOK_AT) if isinstance(item, dict)]
    rows = [row_of(number, row) for number, row in enumerate(first, 1)]
    has_steps = choose_step(rows).key is not None and any(len(row.numbers) > 1 for row in rows)
    return is_training_log(first) and (has_metrics(rows) or (has_steps and len(objects) > 1))


def _objects(text: str) -> list[dict[str, Any]]:
    return [found for found in Scanner().feed(text.encode(), is_end=True) if isinstance(found, dict)]
