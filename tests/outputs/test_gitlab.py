"""Code quality as GitLab takes it: a list of issues with what it asks of each."""

import pytest

from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS
from tests.outputs.test_json import strictly


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_issue_has_what_gitlab_asks_for(report):
    issues = strictly(render("gitlab", report, View()))
    fingerprints = [issue["fingerprint"] for issue in issues]
    assert len(set(fingerprints)) == len(fingerprints)
    for issue in issues:
        assert issue["description"]
        assert issue["check_name"]
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")


def test_the_fingerprint_is_that_of_the_incident_and_what_does_not_count_is_info():
    issues = strictly(render("gitlab", REPORTS["standings"], View()))
    assert [(issue["fingerprint"], issue["severity"]) for issue in issues[:4]] == [
        (f"{0:016x}", "critical"),
        (f"{1:016x}", "info"),
        (f"{2:016x}", "info"),
        ("a" * 16, "info"),
    ]
    assert issues[2]["description"].endswith("[suppressed: a | short * fine-tune]")


def test_paths_are_relative_to_the_repository(audioloss, jsonl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = jsonl({"step": 1, "audio_loss": 0.001}, name="runs/a/log.jsonl")
    for asked in (path, "./runs", "runs/a/log.jsonl"):
        (issue,) = strictly(audioloss("scan", asked, "--report", "gitlab").out)
        assert issue["location"]["path"] == "runs/a/log.jsonl"
