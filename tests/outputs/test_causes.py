"""Likely causes of an incident, as people and programs read them."""

import json
from importlib import resources

import jsonschema
import pytest

from audioloss_cli import Report
from audioloss_cli.model import LikelyCause, RunReport, View
from audioloss_cli.model.report import Source
from audioloss_cli.outputs import render
from tests.outputs.reports import audited
from tests.outputs.test_json import closed, strictly

SCHEMA = json.loads(resources.files("audioloss_cli.outputs").joinpath("report-1.schema.json").read_text())
CAUSES = [
    LikelyCause("no-shift", 1, ["starts at 6.99", "falls within 90 steps"], ["eval_loss stays at 5"], "label-leak"),
    LikelyCause("over-masked", 2, ["falls fast", "in one codebook"], ["once only"], "low-valid-fraction"),
    LikelyCause("bad-codes", 3, ["low\x1b[31m from the start"], [], "poor-codes"),
]


@pytest.fixture
def report() -> Report:
    item = audited("loss", [3.0] * 20 + [0.001] * 20)
    for incident in item.incidents:
        incident.causes = list(CAUSES)
    return Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [item])])


def shown(report: Report, **view) -> str:
    return " ".join(render("text", report, View(**view)).split())


def test_the_likeliest_is_shown_in_full_and_one_more_in_brief(report):
    text = shown(report)
    assert (
        "likely: no-shift (starts at 6.99; falls within 90 steps), but eval_loss stays at 5; "
        "confirm with the probe check label-leak or: over-masked (falls fast); probe check low-valid-fraction"
    ) in text
    assert "bad-codes" not in text
    assert "in one codebook" not in text


def test_every_one_is_shown_in_full_where_there_is_room(report):
    text = shown(report, verbosity=1)
    assert "or: over-masked (falls fast; in one codebook), but once only; confirm with" in text
    assert "or: bad-codes (low\\x1b[31m from the start); confirm with the probe check poor-codes" in text


@pytest.mark.parametrize("verbosity", [0, 1])
def test_it_is_no_wider_than_the_terminal(report, verbosity):
    lines = render("text", report, View(verbosity=verbosity)).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert sum(line.startswith("    likely: ") for line in lines) == len(report.incidents)


def test_the_document_holds_them_all(report):
    document = strictly(render("json", report, View()))
    jsonschema.validate(document, SCHEMA)
    incident = document["runs"][0]["series"][0]["incidents"][0]
    jsonschema.validate(incident["causes"], {"items": closed(SCHEMA["$defs"]["likely_cause"])})
    assert incident["causes"] == [dict(cause) for cause in CAUSES]


def test_a_document_of_an_older_release_still_fits(report):
    document = strictly(render("json", report, View()))
    for incident in document["runs"][0]["series"][0]["incidents"]:
        del incident["causes"]
    jsonschema.validate(document, SCHEMA)
