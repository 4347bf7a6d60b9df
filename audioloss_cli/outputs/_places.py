"""Files as services name them: relative to the working directory, which in CI is that of the repository."""

import os
from pathlib import PurePath
from urllib.parse import quote

_NO_FILE = ("-", "")


def relative(path: str) -> str:
    """Return the path with ``/``, relative to the working directory where it lies below it, else as it is."""
    if path in _NO_FILE:
        return "."
    here = os.getcwd()  # noqa: PTH109  # no more than a text is needed
    inside = os.path.isabs(path) and path.startswith(here + os.sep)  # noqa: PTH117
    text = PurePath(path[len(here) + 1 :] if inside else path).as_posix()
    return text.removeprefix("./")


def uri(path: str) -> str:
    """Return a URI reference: a relative one for a path below the working directory, else ``file://`` and the path."""
    text = relative(path)
    quoted = quote(os.fsencode(text), safe="/~")
    return f"file://{quoted}" if text.startswith("/") else quoted
