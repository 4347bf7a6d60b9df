"""CSV (RFC 4180, with a newline at the end of a line): one row for each thing found, and for each clean series.

A text that a spreadsheet would take for a formula begins with an apostrophe.
"""

import csv
import io
import math
from collections.abc import Iterator
from typing import Any

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, View
from audioloss_cli.outputs._problems import Problem, of_audit, of_run

COLUMNS = (
    *("kind", "run", "tag", "code", "severity", "fails", "standing", "standing_reason", "fingerprint"),
    *("first_step", "fired_step", "last_step", "resolved_step", "resolution", "points", "worst_value", "worst_step"),
    *("certainty", "likely_cause", "message", "advice", "path", "line", "offset"),
)
_OF_INCIDENT = ("fired_step", "last_step", "resolved_step", "resolution", "points", "worst_step", "certainty")
_FORMULA = ("=", "+", "-", "@")


class Output(outputs.Output):
    """``kind``: an incident, a finding, a defect, unread, unaudited, a checkpoint, or a clean series."""

    suffixes = (".csv",)
    columns = COLUMNS

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()

    def begin(self, gate: Gate) -> Iterator[str]:
        """Yield the header."""
        self._gate = gate
        yield self._line(COLUMNS)

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield the rows of a run; one even where nothing in it was audited."""
        for problem in of_run(run, self._gate):
            yield self._row(_cells(problem))
        for item in run.series:
            if not item.incidents:
                first, last = item.span
                steps = {"first_step": first, "last_step": last, "points": item.points}
                yield self._row({"kind": "clean", "run": run.run, "tag": item.tag, **steps})
        if run.checkpoint is not None:
            yield self._row({"kind": "checkpoint", "run": run.run, "last_step": run.checkpoint.step})
        elif not run.series:
            yield self._row({"kind": "no series", "run": run.run, "message": run.note})

    def end(self, report: Report) -> Iterator[str]:
        """Yield the rows that are of no run."""
        for problem in of_audit(report):
            yield self._row(_cells(problem))

    def _row(self, cells: dict[str, Any]) -> str:
        return self._line([cells.get(column) for column in COLUMNS])

    def _line(self, cells: Any) -> str:
        found = io.StringIO()
        csv.writer(found, lineterminator="\n").writerow([self._cell(cell) for cell in cells])
        return found.getvalue()

    def _cell(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        text = self.shown(cell)
        return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(problem: Problem) -> dict[str, Any]:
    cells = {column: getattr(problem, column, None) for column in COLUMNS}
    cells |= {"severity": str(problem.severity), "fails": str(problem.fails).lower(), "first_step": problem.step}
    incident = problem.incident
    if incident is not None:
        cells |= {column: getattr(incident, column) for column in _OF_INCIDENT}
        worst = incident.worst_value
        cells["worst_value"] = None if math.isnan(worst) else worst
        cells["likely_cause"] = incident.causes[0].cause if incident.causes else ""
    return cells
