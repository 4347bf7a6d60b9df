"""Where reports go: standard output and files, in colour or not, with a progress bar beside them or not."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size
from threading import Lock, Timer
from typing import IO, TYPE_CHECKING

from audioloss_cli import outputs, terminal
from audioloss_cli.config import ConfigError
from audioloss_cli.destinations import Destination
from audioloss_cli.model import Gate, Report, RunReport, View, printable, shortened
from audioloss_cli.output_file import encoded, write_file
from audioloss_cli.terminal import WriteError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SECONDS_BEFORE_A_BAR = 0.5
_WIDEST = 200  # characters of a run's name beside the bar
_IN_MEMORY = 1 << 20  # bytes of a report that are kept there until it is whole


class Screen:
    """The places to which the reports of one audit go, run by run.

    Args:
        reports: each with its place; see ``destinations``.
        gate: what fails the audit.
        verbosity: -1, 0 or 1; see ``View``.
        color: True or False from the command line; None decides by environment and terminal.

    Raises:
        MissingDependencyError: a kind needs a package that is not installed.
    """

    def __init__(self, reports: Sequence[Destination], gate: Gate, *, verbosity: int, color: bool | None) -> None:
        self._verbosity = verbosity
        self._bar = False
        self._reports = [_Written(each, gate, self._view(each, color)) for each in reports]

    def run(self, run: RunReport) -> None:
        """Hand a finished run to every report.

        Raises:
            WriteError: one of them cannot be written.
        """
        for each in self._reports:
            each.run(run, hold=self._bar and sys.stdout.isatty())

    def end(self, report: Report) -> None:
        """Finish every report; if none goes to standard output, the verdict goes to standard error.

        Args:
            report: whose runs were all handed over.

        Raises:
            ConfigError: a file is one of the logs that were read.
            WriteError: one of them cannot be written.
        """
        try:
            for each in self._reports:
                each.check(report)
            for each in self._reports:
                each.end(report)
        finally:
            self._close()
        if self._verbosity >= 0 and all(each.destination.file is not None for each in self._reports):
            terminal.tell(outputs.render("text", report, View(verbosity=-2, unicode=False)))

    def show(self, report: Report) -> None:
        """Write a report that is there already.

        Raises:
            ConfigError: a file is one of the logs that were read.
            WriteError: one of them cannot be written.
        """
        for run in report.runs:
            self.run(run)
        self.end(report)

    def _view(self, destination: Destination, color: bool | None) -> View:
        if destination.file is not None:
            return View(self._verbosity)
        encoding = (sys.stdout.encoding or "ascii").lower()
        columns = get_terminal_size().columns
        return View(self._verbosity, _wants_color(color), columns, unicode=encoding.startswith("utf"))

    @contextmanager
    def progress(self, unit: str = "") -> Iterator[Callable[[int, int, str], None] | None]:
        """A bar on standard error, on a terminal, once the work has proved long.

        Args:
            unit: what is counted; bytes if empty.

        If the work fails, what was kept of the reports is gone.
        """
        self._bar = sys.stderr.isatty() and self._verbosity >= 0
        bar = _Bar(unit) if self._bar else None
        try:
            yield bar.update if bar is not None else None
        except BaseException:
            self._close()
            raise
        finally:
            self._bar = False
            if bar is not None:
                bar.close()

    def _close(self) -> None:
        for each in self._reports:
            each.close()


class _Written:
    """One report while it is written: to standard output at once, to a file when it is whole."""

    def __init__(self, destination: Destination, gate: Gate, view: View) -> None:
        self.destination = destination
        self._gate, self._view = gate, view
        self._output = outputs.kind(destination.kind)(view)
        self._kept: IO[bytes] | None = None
        self._begun = False

    def run(self, run: RunReport, *, hold: bool) -> None:
        """Write a run; ``hold`` keeps what goes to standard output for later, lest it meets the progress bar."""
        if not hold:
            self._print_kept()
        self._put(self._beginning(), hold=hold)
        self._put(self._output.run(run), hold=hold)

    def check(self, report: Report) -> None:
        """Refuse a file that is one of the logs."""
        try:
            _refuse_to_overwrite(self.destination, report)
        except OSError as error:
            raise self._failure(error) from None

    def end(self, report: Report) -> None:
        """Write what is left, and the file."""
        file = self.destination.file
        self._print_kept()
        self._put(self._beginning())
        self._put(self._output.end(report))
        if file is None:
            return
        try:
            write_file(file, self._kept or "")
        except BrokenPipeError:
            pass  # whoever reads from it has seen enough, as with standard output
        except OSError as error:
            raise self._failure(error) from None

    def close(self) -> None:
        """Let go of what was kept."""
        if self._kept is not None:
            self._kept.close()

    def _beginning(self) -> Iterable[str]:
        if self._begun:
            return ()
        self._begun = True
        return self._output.begin(self._gate)

    def _put(self, texts: Iterable[str], *, hold: bool = False) -> None:
        try:
            for text in texts:
                if self.destination.file is None and not hold:
                    terminal.put(text, styled=self._view.color)
                    continue
                if self._kept is None:
                    from tempfile import SpooledTemporaryFile  # noqa: PLC0415  # a report on standard output needs none

                    self._kept = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # until ``close``
                self._kept.write(encoded(text))
        except OSError as error:
            raise self._failure(error) from None

    def _print_kept(self) -> None:
        if self.destination.file is None and self._kept is not None:
            self._kept.seek(0)
            while line := self._kept.readline():
                terminal.put(line.decode("utf-8"), styled=self._view.color)
            self._kept.close()
            self._kept = None

    def _failure(self, error: OSError) -> WriteError:
        place = self.destination.file or error.filename or "a temporary file"
        return WriteError(f"cannot write the report to {place}: {error.strerror}")


class _Bar:
    """Shows itself after half a second: most scans are done by then, and never import what draws it."""

    def __init__(self, unit: str = "") -> None:
        self._unit = unit
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
        from rich import progress as columns  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415

        run = columns.TextColumn("{task.description}", markup=False)
        unit = columns.TextColumn(self._unit, markup=False)
        done = (columns.MofNCompleteColumn(), unit) if self._unit else (columns.DownloadColumn(),)
        with self._lock:
            if self._closed:
                return
            progress = columns.Progress(
                columns.SpinnerColumn(),
                *done,
                columns.TimeElapsedColumn(),
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
                self._shown[1], completed=done, total=total or None, description=shortened(printable(run), _WIDEST)
            )


def _refuse_to_overwrite(destination: Destination, report: Report) -> None:
    output = destination.file
    if output is not None and output.exists():
        named = [item.asked for item in report.unaudited]  # a PATH that no reader claims is not ours to lose either
        for name in [*(file for run in report.runs for file in run.files), *named]:
            if Path(name).exists() and output.samefile(name):
                raise ConfigError(f"{destination}: is one of the logs that were read; name another file")


def _wants_color(asked: bool | None) -> bool:
    """NO_COLOR beats --color beats the terminal beats FORCE_COLOR and CLICOLOR_FORCE."""
    if os.environ.get("NO_COLOR"):
        return False
    if asked is not None:
        return asked
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0")
    return sys.stdout.isatty() or bool(forced)
