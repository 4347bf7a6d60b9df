"""The JSON document against its published schema."""

import json
from importlib import resources

import jsonschema
import pytest

from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.outputs._document import document
from tests.outputs.reports import REPORTS

SCHEMA = json.loads(resources.files("audioloss_cli.outputs").joinpath("report-1.schema.json").read_text())


def closed(schema):
    """The same schema without room for additions: what we write must stand in it."""
    if isinstance(schema, dict):
        tight = {"additionalProperties": False} if "properties" in schema else {}
        return {key: closed(value) for key, value in schema.items()} | tight
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def strictly(text: str):
    def refuse(literal: str):
        raise AssertionError(f"{literal} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_report_fits_and_nothing_is_left_unsaid(report):
    written = strictly(render("json", report, View()))
    jsonschema.validate(written, SCHEMA)
    jsonschema.validate(written, closed(SCHEMA))
    assert written["schema"] == "audioloss.report/1"
    assert written["exit_code"] == report.exit_code


def test_numbers_that_json_has_no_number_for():
    (series, _) = strictly(render("json", REPORTS["incidents"], View()))["runs"][0]["series"]
    values = {
        edge["value"]
        for incident in series["incidents"]
        for edge in incident["timeline"]
        if not isinstance(edge["value"], float)
    }
    assert values == {"NaN", None}
    assert strictly(render("json", REPORTS["probe"], View()))["findings"][0]["evidence"]["mean"] == "NaN"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [("healthy", "ce", ""), ("small by nature", "small", "it starts at 0.05, which is no cross entropy over codes")],
)
def test_the_kind_of_a_series_and_why(name, kind, reason):
    (series,) = document(REPORTS[name])["runs"][0]["series"]
    assert (series["kind"], series["kind_reason"]) == (kind, reason)


def test_ids_are_unique():
    ids = [
        incident["id"]
        for run in document(REPORTS["incidents"])["runs"]
        for s in run["series"]
        for incident in s["incidents"]
    ]
    assert len(ids) == len(set(ids)) > 2
