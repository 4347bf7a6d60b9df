"""JSON lines: one run a line, as soon as it is finished, and one last line about the audit as a whole.

The members are those of audioloss.report/1. Each line has a ``schema``; a run is the line with a ``run``, the last one
that with an ``exit_code``: a file without it is not whole.
"""

from collections.abc import Iterator
from typing import Any

from audioloss_cli import outputs
from audioloss_cli.model import Report, RunReport
from audioloss_cli.outputs._document import SCHEMA, as_json, envelope, run_document


class Output(outputs.Output):
    """A JSON object a line, without a blank that need not be there."""

    suffixes = (".jsonl", ".ndjson")

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield the line of a run."""
        yield self._line(run_document(run))

    def end(self, report: Report) -> Iterator[str]:
        """Yield the last line."""
        yield self._line(envelope(report, verbose=self.view.verbosity > 0))

    def _line(self, members: dict[str, Any]) -> str:
        return as_json({"schema": SCHEMA, **members}, ascii_only=not self.view.unicode) + "\n"
