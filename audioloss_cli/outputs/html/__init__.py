"""One self-contained page: verdict, table of runs, curves, incidents; no network, and nothing but its own script."""

from collections.abc import Iterable, Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Report, RunReport, View
from audioloss_cli.outputs.html.budget import Budget
from audioloss_cli.outputs.html.glossary import Glossary
from audioloss_cli.outputs.html.run_view import FIRST_CALM, view_of

_OPEN = 20  # sections of the worst runs that are open from the beginning


class Output(outputs.Output):
    """The page. The table and the sections of the runs are kept until the end, since the worst ones come first."""

    suffixes = (".html", ".htm")

    def __init__(self, view: View) -> None:
        from audioloss_cli.outputs.html.page import Page  # noqa: PLC0415  # jinja2, 50 ms that no other report needs

        super().__init__(view)
        self._page = Page()
        self._budget = Budget()
        self._glossary = Glossary()
        self._rows = list[tuple[tuple[int, int], str]]()
        self._sections = list[tuple[tuple[int, int], str]]()

    def run(self, run: RunReport) -> Iterable[str]:
        """Take in the run: its row, and its section as long as there is room for it."""
        view = view_of(len(self._rows), run, self._budget)
        self._glossary.add_run(run)
        section = "" if self._budget.full else self._page.section(view)
        row = self._page.row(view, linked=bool(section))
        self._budget.take(section, row)
        self._rows.append((view.rank, row))
        if section:
            self._sections.append((view.rank, section))
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield the page."""
        self._glossary.add_probe(report)
        for text in self._texts(report):
            yield text if self.view.unicode else text.encode("ascii", "xmlcharrefreplace").decode("ascii")

    def _texts(self, report: Report) -> Iterator[str]:
        yield self._page.head(report, rows=bool(self._rows))
        if self._rows:
            yield from (text for _, text in sorted(self._rows))
            yield '</tbody></table></div>\n<h2>Run by run</h2>\n<div id="sections">\n'
            for place, (rank, text) in enumerate(sorted(self._sections)):
                troubled = rank[0] < FIRST_CALM
                is_open = (troubled and place < _OPEN) or len(self._sections) == 1
                yield text.replace("<details", "<details open", 1) if is_open else text
            yield "</div>\n"
            left_out = len(self._rows) - len(self._sections)
            if left_out:
                yield f"<p>{left_out:,} runs have no section, lest the page grows too large; scan them alone.</p>\n"
        yield self._page.tail(report, self._glossary)
