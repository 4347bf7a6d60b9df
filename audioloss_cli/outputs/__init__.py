"""Report formats, one a module with a class ``Output``: text for its beginning, for each run, and for its end.

A run is handed over as soon as it is finished, so that a report of ten thousand runs needs no more memory than their
incidents. What an output shows of the curve of a series it takes from the run while it has it.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from audioloss_cli import registry
from audioloss_cli.model import printable

if TYPE_CHECKING:
    from audioloss_cli.model import Gate, Report, RunReport, View


class Output:
    """One report of one kind while it is being made.

    ``begin`` is called once, then ``run`` with every run, then ``end`` once. The texts that they yield, put together,
    are the report; it ends in a newline. Characters that are none to look at have to be escaped, as ``printable`` does;
    ANSI codes, other than ASCII and a width are allowed as far as ``view`` says.

    Attributes:
        suffixes: of files that are written in this kind if nothing else is asked for, such as ``.json``.
        view: how the report is to be shown.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, view: "View") -> None:
        self.view = view

    def begin(self, gate: "Gate") -> Iterable[str]:
        """What stands before all runs.

        Args:
            gate: what fails the audit, which is that of the report.
        """
        del gate
        return ()

    def run(self, run: "RunReport") -> Iterable[str]:
        """What is said of one run; runs come in the order of their names, those of a probe's logs as well.

        Args:
            run: with the envelope of each of its series, and final: nothing in it changes afterwards.
        """
        del run
        return ()

    def end(self, report: "Report") -> Iterable[str]:
        """What stands behind all runs.

        Args:
            report: all of it. Its runs are those that were handed over, in the same order; the envelopes of their
                series may have come down to one part a segment by then.
        """
        del report
        return ()

    def shown(self, text: str) -> str:
        """Return text in which every character is one to look at, in ASCII where ``view`` cannot print more."""
        text = printable(text)
        return text if self.view.unicode or text.isascii() else text.encode("ascii", "backslashreplace").decode("ascii")


def names() -> tuple[str, ...]:
    """Return the kinds of reports, sorted."""
    return registry.names("outputs")


def kind_of_file(name: str) -> str | None:
    """Return the kind whose suffix a file has, the longest one where several fit; None if it has that of none.

    Raises:
        MissingDependencyError: a kind needs a package that is not installed.
    """
    fitting = [
        (len(suffix), each) for each in names() for suffix in kind(each).suffixes if name.lower().endswith(suffix)
    ]
    return max(fitting)[1] if fitting else None


def kind(name: str) -> type[Output]:
    """Return the class of an output.

    Raises:
        UnknownPluginError: there is none of that name.
        MissingDependencyError: it needs a package that is not installed.
    """
    return cast("type[Output]", registry.load("outputs", name).Output)


def pieces(output: Output, report: "Report") -> Iterator[str]:
    """Yield the text of a report that is there already, run by run."""
    yield from output.begin(report.gate)
    for run in report.runs:
        yield from output.run(run)
    yield from output.end(report)


def render(name: str, report: "Report", view: "View") -> str:
    """Return a report that is there already as one text, in the kind of that name.

    Raises:
        UnknownPluginError: there is none of that name.
        MissingDependencyError: it needs a package that is not installed.
    """
    return "".join(pieces(kind(name)(view), report))
