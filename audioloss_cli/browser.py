"""``--open``: the HTML report in whatever browser the user has."""

import os
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audioloss_cli import terminal
from audioloss_cli.destinations import Destination
from audioloss_cli.model import printable
from audioloss_cli.terminal import WriteError


@contextmanager
def shown(reports: list[Destination]) -> Iterator[list[Destination]]:
    """Yield the reports, with an HTML page in a new temporary file where none of them is one in a file; then open it.

    The file stays: a browser reads it after the program has ended. If the work fails, it does not.

    Raises:
        WriteError: there is no room for temporary files.
    """
    page = _page_of(reports)
    if page is not None:
        yield reports
    else:
        page = _temporary_page()
        try:
            yield [*reports, Destination("html", page, "--open")]
        except BaseException:
            page.unlink(missing_ok=True)
            raise
    if not (_may_open() and webbrowser.open(page.absolute().as_uri())):
        terminal.tell(f"no browser can be opened here; the page is {printable(str(page))}\n")


def _temporary_page() -> Path:
    try:
        number, name = tempfile.mkstemp(prefix="audioloss-", suffix=".html")
    except OSError as error:
        raise WriteError(f"--open: cannot make a temporary file: {error.strerror}; name one: --report x.html") from None
    os.close(number)
    return Path(name)


def _page_of(reports: Sequence[Destination]) -> Path | None:
    return next((each.file for each in reports if each.kind == "html" and each.file is not None), None)


def _may_open() -> bool:
    """A browser in the terminal takes it over; without a terminal it would wait for keys that nobody presses."""
    has_display = not sys.platform.startswith("linux") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    return has_display or "BROWSER" in os.environ or sys.stdout.isatty()
