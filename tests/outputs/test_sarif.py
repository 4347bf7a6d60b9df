"""SARIF against its published schema, and what GitHub asks of it."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import jsonschema
import pytest

from audioloss_cli import Gate, Report, registry
from audioloss_cli.cli._catalogue import catalogue
from audioloss_cli.model import RunReport, View
from audioloss_cli.model.report import Source
from audioloss_cli.outputs import render, sarif
from audioloss_cli.outputs._codes import FOLDERS, documentation
from tests.outputs.reports import REPORTS, audited
from tests.outputs.schemas import schema
from tests.outputs.test_json import strictly


def run_of(report: Report, **view) -> dict:
    (run,) = strictly(render("sarif", report, View(**view)))["runs"]
    return run


@pytest.mark.parametrize("view", [View(), View(unicode=False)], ids=str)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_report_fits_the_schema(report, view):
    published = json.loads(schema("sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(published).validate(strictly(render("sarif", report, view)))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_result_names_its_rule_and_a_place(report):
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    found = len(report.standings)
    assert len(run["results"]) == found
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["partialFingerprints"]["audioloss/v1"]) == 16
        for location in result["locations"]:
            uri = location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
            assert urlsplit(uri).geturl() == uri
            assert uri.isascii()
            assert " " not in uri


def test_a_rule_brings_its_documentation():
    (rule, *_) = run_of(REPORTS["incidents"])["tool"]["driver"]["rules"]
    assert rule["id"] == "critical-loss"
    assert "\n\nFix: Stop the run" in rule["help"]["text"]
    assert rule["shortDescription"]["text"].endswith(".")


def test_every_code_of_the_catalogue_has_its_documentation():
    """A folder that has moved would leave its codes without any."""
    entries = list(catalogue())
    assert {folder for folder in FOLDERS if registry.names(folder)} == {entry.folder for entry in entries}
    assert all(documentation(entry.code) for entry in entries)


@pytest.mark.parametrize(
    ("name", "successful", "code"),
    [("healthy", True, 0), ("incidents", True, 1), ("defects", False, 3), ("unaudited", False, 3)],
)
def test_an_audit_that_is_not_whole_was_not_successful(name, successful, code):
    (invocation,) = run_of(REPORTS[name])["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (successful, code)
    assert any(each["level"] == "error" for each in invocation["toolExecutionNotifications"]) is not successful


def test_damage_that_is_allowed_is_a_note():
    report = replace(REPORTS["defects"], gate=Gate(allow_defects=True))
    (invocation,) = run_of(report)["invocations"]
    assert invocation["executionSuccessful"] is True
    assert {each["level"] for each in invocation["toolExecutionNotifications"]} == {"note"}


def test_what_does_not_count_is_suppressed():
    results = run_of(REPORTS["standings"])["results"]
    said = {each["properties"]["standing"]: each.get("suppressions") for each in results}
    assert said["found"] is None
    assert said["known"][0]["justification"] == "in the baseline"
    assert said["suppressed"][0]["justification"] == "a | short * fine-tune"


def test_more_results_than_github_takes_are_counted(monkeypatch):
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    runs = [RunReport(f"runs/{number}", [Source("jsonl", [])], [audited("loss", [0.001])]) for number in range(5)]
    run = run_of(Report(runs=runs))
    assert len(run["results"]) == 3
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("2 more results were left out")
