"""The state that a Hugging Face Trainer saves in each checkpoint: its whole history of logged rows.

Claims: ``trainer_state.json`` and other JSON documents with a list ``log_history``.

Example: ``checkpoint-500/trainer_state.json`` with ``{"log_history": [{"loss": 6.9, "step": 10}], "global_step": 500}``
"""

import re
from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import HEAD_BYTES, LogFile

ORDER = 20
CONTINUES = False

_NAME = "trainer_state.json"
_PERHAPS = {".json", ".txt", ".log", ".bak", ".old", ".tmp", ""}
_HISTORY = re.compile(rb'"log_history"\s*:\s*\[')
_CHECKPOINT = re.compile(r"(?:tmp-)?checkpoint(?:[-_].*)?", re.IGNORECASE)


def claims(file: LogFile) -> bool:
    """By the list ``log_history``; a ``trainer_state.json`` also where damage may have taken the list."""
    if file.name == _NAME:
        return _HISTORY.search(file.head) is not None or not _is_another_document(file)
    return file.suffix in _PERHAPS and file.head[:64].lstrip()[:1] == b"{" and _HISTORY.search(file.head) is not None


def _is_another_document(file: LogFile) -> bool:
    """Whether it is sound JSON as far as one can see, without a history."""
    from audioloss_cli.readers.trainer_state.document import is_sound  # noqa: PLC0415  # most have a history

    return not file.is_damaged and is_sound(file.head, HEAD_BYTES)


def run_of(path: Path) -> Path:
    """Return the directory that holds the checkpoints; a history under another name is a run by itself."""
    if not path.name.lower().startswith(_NAME):
        return path
    return path.parent.parent if _CHECKPOINT.fullmatch(path.parent.name) else path.parent


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor]:
    """Yield every number of every row of the history, at the row's ``step``; a Defect for each kind of damage.

    Training, evaluation and summary rows stand beside each other in the history, and each is read as it stands. Of a
    file that is cut off, damaged, or several in one, every whole row is read.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.trainer_state.reading import Reading  # noqa: PLC0415  # msgspec: 10 ms

    return Reading(path, options).run()
