"""JUnit's XML against both schemas of it."""

import xml.etree.ElementTree as ET

import pytest

from audioloss_cli import Report
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS
from tests.outputs.schemas import schema


def suites(report: Report) -> list[ET.Element]:
    return ET.fromstring(render("junit", report, View())).findall("testsuite")


def outcomes(report: Report) -> list[tuple[str, str, str]]:
    """Name of the test, what came of it, and its type."""
    found = []
    for suite in suites(report):
        for case in suite.findall("testcase"):
            inner = next(iter(case), None)
            kind = ("passed", "") if inner is None else (inner.tag, inner.get("type") or "")
            found.append((case.get("name"), *kind))
    return found


@pytest.mark.parametrize("view", [View(), View(unicode=False)], ids=str)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("name", ["junit-ant.xsd", "junit-jenkins-10.xsd"])
def test_every_report_fits_the_schema(name, report, view):
    etree = pytest.importorskip("lxml.etree")
    published = etree.XMLSchema(etree.parse(schema(name)))
    published.assertValid(etree.fromstring(render("junit", report, view).encode("utf-8", "backslashreplace")))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_what_a_suite_counts_is_in_it_and_a_failed_audit_has_a_failure(report):
    failed = 0
    for number, suite in enumerate(suites(report)):
        counts = {name: len(suite.findall(f"testcase/{name}")) for name in ("failure", "error", "skipped")}
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert [int(suite.get(name)) for name in ("failures", "errors", "skipped")] == list(counts.values())
        assert suite.get("id") == str(number)
        failed += counts["failure"] + counts["error"]
    assert bool(failed) is bool(report.exit_code)
    assert suites(report)


def test_a_series_is_a_test():
    assert outcomes(REPORTS["healthy"]) == [("loss", "passed", "")]
    assert outcomes(REPORTS["incidents"]) == [
        ("loss/audio", "failure", "critical-loss"),
        ("other", "passed", ""),
        ("audio loss", "skipped", ""),
    ]


def test_what_was_not_audited_is_an_error():
    assert outcomes(REPORTS["unaudited"]) == [("unaudited: runs/x", "error", "unaudited")]
    assert outcomes(REPORTS["defects"]) == [
        ("loss", "passed", ""),
        ("defect: runs/a/f", "error", "defect"),
        ("defect: runs/c", "error", "defect"),
        ("defect: runs/d", "error", "defect"),
    ]


def test_what_does_not_count_stands_in_the_output_of_its_suite():
    first, *_ = suites(REPORTS["standings"])
    assert (first.get("tests"), first.get("failures")) == ("1", "1")
    assert "[known: in the baseline]" in first.findtext("system-out")
    assert "[suppressed: a | short * fine-tune]" in first.findtext("system-out")
    assert "known" not in first.findtext("testcase/failure")
