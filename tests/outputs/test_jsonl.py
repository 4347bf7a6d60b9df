"""JSON lines: the members of the document, a run a line."""

import pytest

from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS
from tests.outputs.test_json import strictly


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_its_lines_make_up_the_document(report):
    *runs, last = map(strictly, render("jsonl", report, View()).splitlines())
    document = strictly(render("json", report, View()))
    schema = {"schema": document.pop("schema")}
    assert runs == [{**schema, **run} for run in document.pop("runs")]
    assert last == {**schema, **document}


def test_a_line_is_written_as_soon_as_its_run_is_finished(jsonl, audioloss, monkeypatch):
    """While the second run is read, the first one is printed already."""
    from audioloss_cli import terminal
    from audioloss_cli.audit import jobs

    happened = []
    audit_runs, put = jobs.audit_runs, terminal.put

    def told(groups, *arguments, **more):
        for group, runs in zip(groups, audit_runs(groups, *arguments, **more), strict=True):
            happened.append(f"read {group.name[-7:]}")
            yield runs

    monkeypatch.setattr(jobs, "audit_runs", told)
    monkeypatch.setattr(terminal, "put", lambda text, **more: (happened.append("put"), put(text, **more)))
    for name in ("a.jsonl", "b.jsonl"):
        path = jsonl({"step": 1, "audio_loss": 3.0}, name=f"runs/{name}")
    assert audioloss("scan", path.parent, "--report", "jsonl").code == 0
    assert happened == ["read a.jsonl", "put", "read b.jsonl", "put", "put"]
