"""Where a report goes: standard output or a file, in colour or not, with a progress bar beside it or not."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size
from threading import Lock, Timer
from typing import TYPE_CHECKING

from audioloss_cli import registry, terminal
from audioloss_cli.config import ConfigError
from audioloss_cli.model import Report, View, printable, shortened
from audioloss_cli.output_file import write_file
from audioloss_cli.terminal import WriteError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SECONDS_BEFORE_A_BAR = 0.5
_WIDEST = 200  # characters of a run's name beside the bar


class Screen:
    """One place to print one report.

    Args:
        report: name of the output.
        output: a file, or None for standard output.
        verbosity: -1, 0 or 1; see ``View``.
        color: True or False from the command line; None decides by environment and terminal.

    Raises:
        ConfigError: the directory of the file does not exist.
    """

    def __init__(self, report: str, output: Path | None, *, verbosity: int, color: bool | None) -> None:
        if output is not None and not _is_directory(output.absolute().parent):
            raise ConfigError(f"--output {output}: there is no directory {output.absolute().parent}; make it first")
        self._report = report
        self._output = output
        self._verbosity = verbosity
        self._color = color

    def show(self, report: Report) -> None:
        """Render and write; with a file, the verdict goes to standard error.

        Raises:
            ConfigError: the file is one of the logs that were read.
            WriteError: it cannot be written.
        """
        view = self._view()
        text: str = registry.load("outputs", self._report).render(report, view)
        if self._output is None:
            terminal.put(text, styled=view.color)
            return
        try:
            _refuse_to_overwrite(self._output, report)
            write_file(self._output, text)
        except BrokenPipeError:
            pass  # whoever reads from it has seen enough, as with standard output
        except OSError as error:
            raise WriteError(f"cannot write the report to {self._output}: {error.strerror}") from None
        if self._verbosity >= 0:
            terminal.tell(registry.load("outputs", "text").render(report, View(verbosity=-1, unicode=False)))

    def _view(self) -> View:
        if self._output is not None:
            return View(self._verbosity)
        encoding = (sys.stdout.encoding or "ascii").lower()
        columns = get_terminal_size().columns
        return View(self._verbosity, _wants_color(self._color), columns, unicode=encoding.startswith("utf"))

    @contextmanager
    def progress(self) -> Iterator[Callable[[int, int, str], None] | None]:
        """A bar on standard error, on a terminal, once the work has proved long."""
        if not sys.stderr.isatty() or self._verbosity < 0:
            yield None
            return
        bar = _Bar()
        try:
            yield bar.update
        finally:
            bar.close()


class _Bar:
    """Shows itself after half a second: most scans are done by then, and never import what draws it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = (0, 0, "")
        self._shown: tuple[Progress, TaskID] | None = None
        self._closed = False
        self._timer = Timer(_SECONDS_BEFORE_A_BAR, self._show)
        self._timer.daemon = True
        self._timer.start()

    def update(self, done: int, total: int, run: str) -> None:
        with self._lock:
            self._state = (done, total, run)
            self._draw()

    def close(self) -> None:
        """From here on nothing is drawn, even if the timer went off a moment ago."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._shown is not None:
                self._shown[0].stop()
                self._shown = None

    def _show(self) -> None:
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        run = TextColumn("{task.description}", markup=False)
        with self._lock:
            if self._closed:
                return
            progress = Progress(
                SpinnerColumn(),
                DownloadColumn(),
                TimeElapsedColumn(),
                run,
                console=Console(file=terminal.unescaped(sys.stderr)),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            progress.start()
            self._shown = (progress, progress.add_task("", total=None))
            self._draw()

    def _draw(self) -> None:
        if self._shown is not None:
            done, total, run = self._state
            self._shown[0].update(
                self._shown[1], completed=done, total=total, description=shortened(printable(run), _WIDEST)
            )


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # that of Path raises for a name that is too long


def _refuse_to_overwrite(output: Path, report: Report) -> None:
    if output.exists():
        named = [item.asked for item in report.unaudited]  # a PATH that no reader claims is not ours to lose either
        for name in [*(file for run in report.runs for file in run.files), *named]:
            if Path(name).exists() and output.samefile(name):
                raise ConfigError(f"--output {output}: is one of the logs that were read; name another file")


def _wants_color(asked: bool | None) -> bool:
    """NO_COLOR beats --color beats the terminal beats FORCE_COLOR and CLICOLOR_FORCE."""
    if os.environ.get("NO_COLOR"):
        return False
    if asked is not None:
        return asked
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0")
    return sys.stdout.isatty() or bool(forced)
