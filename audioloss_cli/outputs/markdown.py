"""GitHub-flavoured Markdown, such as for a comment or a wiki: verdict, tables of what was found, what to do next."""

from collections.abc import Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, View
from audioloss_cli.outputs._markdown import Page


class Output(outputs.Output):
    """What is known and what is suppressed stand in tables of their own."""

    suffixes = (".md", ".markdown")

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._page = Page(Gate())

    def begin(self, gate: Gate) -> tuple[str, ...]:
        """Begin the page; it has its verdict first, so nothing can be said yet."""
        self._page = Page(gate)
        return ()

    def run(self, run: RunReport) -> tuple[str, ...]:
        """Keep the rows of a run."""
        self._page.add(run)
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield the page."""
        for text in self._page.texts(report):
            yield text if self.view.unicode else text.encode("ascii", "xmlcharrefreplace").decode("ascii")
