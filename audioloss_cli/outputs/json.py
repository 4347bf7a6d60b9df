"""One JSON document of schema audioloss.report/1."""

from collections.abc import Iterator
from typing import Any

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, View
from audioloss_cli.outputs._document import SCHEMA, as_json, envelope, run_document


class Output(outputs.Output):
    """Indented JSON, ASCII where ``view`` cannot print more; what is no character to look at is escaped."""

    suffixes = (".json",)

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._runs = 0

    def begin(self, gate: Gate) -> Iterator[str]:
        """Yield the schema and the opening of the list of runs."""
        del gate
        yield f'{{\n  "schema": "{SCHEMA}",\n  "runs": ['

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield a run as an item of the list."""
        yield ("," if self._runs else "") + ("\n" + self._json(run_document(run))).replace("\n", "\n    ")
        self._runs += 1

    def end(self, report: Report) -> Iterator[str]:
        """Yield all that is said of the audit as a whole."""
        members = self._json(envelope(report, verbose=self.view.verbosity > 0))
        yield ("\n  ]" if self._runs else "]") + "," + members[1:] + "\n"

    def _json(self, item: Any) -> str:
        return as_json(item, ascii_only=not self.view.unicode, indent=2)
