"""CSV as Python and pandas read it."""

import csv
import io

import pandas as pd
import pytest

from audioloss_cli import Report
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.outputs.csv import COLUMNS
from tests.outputs.reports import REPORTS


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render("csv", report, View()))))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_row_for_each_finding_and_for_what_is_clean(report):
    found = rows(report)
    assert all(list(row) == list(COLUMNS) for row in found)
    kinds = [row["kind"] for row in found]
    assert kinds.count("incident") == len(report.incidents)
    assert kinds.count("defect") == len(report.defects)
    assert kinds.count("unaudited") == len(report.unaudited)
    clean = [item for run in report.runs for item in run.series if not item.incidents]
    assert kinds.count("clean") == len(clean)
    assert any(row["fails"] == "true" for row in found) is bool(report.exit_code)


def test_no_cell_is_a_formula():
    for row in rows(REPORTS["hostile markup"]):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    assert any(row["run"].startswith("'=cmd|") for row in rows(REPORTS["hostile markup"]))


def test_pandas_reads_it():
    frame = pd.read_csv(io.StringIO(render("csv", REPORTS["standings"], View())))
    incidents = frame[frame.kind == "incident"]
    assert list(incidents.standing) == ["found", "known", "suppressed"]
    assert list(incidents.first_step) == [0, 151, 302]
    assert list(incidents.worst_value) == [0.001] * 3
