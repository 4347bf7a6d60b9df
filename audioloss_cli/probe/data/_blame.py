"""Code of the user runs here: what it prints stays out of the report, and what it raises is told in one line."""

import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from audioloss_cli.probe.errors import ProbeError, UnreadableError
from audioloss_cli.terminal import words_of

_LONGEST = 300
_TRACE, _FRAME = "Original Traceback (most recent call last):", re.compile(r'^  File "(.+)", line (\d+)', re.M)
_OTHERS = (*{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}, "<frozen")
_OURS = __file__.rpartition("probe")[0]


@contextmanager
def users_code(what: str) -> Iterator[None]:
    """Standard output is that of the report: a dataset that prints would break its JSON.

    SystemExit is caught too: the exit code is ours to give, and a script that ends in ``sys.exit()`` would say 0.

    Raises:
        UnreadableError: the code raised, with the line of the user that did it.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except ProbeError:
        raise
    except (Exception, SystemExit) as error:
        text, place = _in_a_worker(error) or (words_of(error), _place(error))
        told = text[:_LONGEST]
        line = f"--data {what!r}: {type(error).__name__} in the dataset or its collate_fn at {place}: {told}"
        raise UnreadableError(line.removesuffix(": ")) from error


def _in_a_worker(error: BaseException) -> tuple[str, str] | None:
    """What a worker of a DataLoader raised, and where; torch puts its whole traceback into the message."""
    head, mark, trace = words_of(error).partition(_TRACE)
    if not mark or "DataLoader worker" not in head:
        return None
    frames = [(file, line) for file, line in _FRAME.findall(trace) if not file.startswith(_OURS)]
    theirs = [frame for frame in frames if not frame[0].startswith(_OTHERS)]
    file, line = (theirs or frames or [("an unknown file", "?")])[-1]
    last = trace.strip().rpartition("\n")[2]
    return " ".join(last.partition(": ")[2].split()), f"{file}:{line}"


def _place(error: BaseException) -> str:
    """The deepest line of the user's own files; of any other file if there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
    theirs = [frame for frame in frames if not frame.filename.startswith(_OTHERS)]
    deepest = next(reversed(theirs or frames), None)
    return f"{deepest.filename}:{deepest.lineno}" if deepest else "an unknown place"
