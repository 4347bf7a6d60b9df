"""Workflow commands within GitHub's limits, and the summary of the step."""

import re
from pathlib import Path

import pytest

from audioloss_cli import Report, Severity
from audioloss_cli.model import Finding, RunReport, View
from audioloss_cli.model.report import Source
from audioloss_cli.outputs import github, render
from tests.outputs.reports import REPORTS, audited

_COMMAND = re.compile(r"::(error|warning|notice) (?:file=([^,:\n]*),line=\d+,)?title=([^,:\n]*)::([^\n]*)")


def commands(report: Report) -> list[tuple[str, str, str, str]]:
    """Level, file, title and message of each annotation; the last line is none."""
    *lines, last = render("github", report, View()).splitlines()
    assert last.startswith("audioloss: ")
    found = [_COMMAND.fullmatch(line) for line in lines]
    assert all(found), lines
    return [match.groups(default="") for match in found]


@pytest.fixture(autouse=True)
def summary(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_line_is_one_command_and_an_error_fails_the_audit(report):
    found = commands(report)
    assert any(level == "error" for level, *_ in found) is bool(report.exit_code)


def test_a_name_cannot_be_a_command_of_its_own(summary):
    (level, file, title, message), *_ = commands(REPORTS["hostile markup"])
    assert (level, title) == ("error", "critical-loss (critical)")
    assert file.startswith("-->\"'&amp; @user `a``b` $x$ https%3A/evil.example")
    assert "\\r\\n" in file
    assert "%250A" in message
    assert "\\u202e" in message


def many(critical: int, warning: int) -> Report:
    runs = [
        RunReport(
            f"runs/{number:03}",
            [Source("jsonl", [f"runs/{number:03}/log.jsonl"])],
            [audited("loss", [0.001])] if number >= warning else [],
            [Finding("sources-disagree", Severity.WARNING, "loss differs")] if number < warning else [],
        )
        for number in range(critical + warning)
    ]
    return Report(runs=runs)


def test_ten_of_a_kind_the_gravest_first_and_the_rest_in_the_summary(summary):
    found = commands(many(8, 30))
    assert [title for _, _, title, _ in found] == ["critical-loss (critical)"] * 8 + ["sources-disagree (warning)"] * 2
    text = render("github", many(8, 30), View())
    assert text.endswith(" in 8 series of 38 runs; 10 annotations; 28 more in the summary of the step\n")
    assert summary.read_text().count("| `sources-disagree` |") == 60  # twice: a step may scan twice


def test_without_a_summary_the_rest_is_left_out_and_that_is_said(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert "2 more are left out (no GITHUB_STEP_SUMMARY is set)\n" in render("github", many(12, 0), View())


def test_the_summary_is_no_larger_than_github_takes(summary, monkeypatch):
    monkeypatch.setattr(github, "MOST_SUMMARY", 24 << 10)
    summary.write_text("what an earlier command wrote\n" * 10)
    render("github", many(100, 0), View())
    text = summary.read_text()
    assert len(text.encode()) <= 24 << 10
    assert text.startswith("what an earlier command wrote\n")
    assert re.search(r"\n\d\d more are left out here\.\n", text)


def test_what_does_not_count_is_no_annotation_but_in_the_summary(summary):
    assert [title for _, _, title, _ in commands(REPORTS["standings"])] == ["critical-loss (critical)"]
    assert "## Known, from the baseline" in summary.read_text()
    assert "## Suppressed" in summary.read_text()


def test_a_summary_that_cannot_be_written_is_an_error(audioloss, jsonl, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    ran = audioloss("scan", jsonl({"step": 1, "audio_loss": 3.0}), "--report", "github")
    assert (ran.code, ran.err) == (4, f"audioloss: error: cannot write the report to {tmp_path}: Is a directory\n")
