"""The verdict of a report: gate, severities, damage, and what was not audited."""

import pytest

from audioloss_cli import Gate, Incident, Limits, Report, Series, Severity
from audioloss_cli.model import Defect, Finding, RunReport, Unaudited
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED
from audioloss_cli.model.report import Source
from audioloss_cli.model.series_report import AuditedSeries

DEFECT, UNAUDITED = Defect("runs/a", "checksum", "bad"), Unaudited("runs/x", "no such file or directory")


def incident(severity: str) -> Incident:
    return Incident("low-loss@1", "code", "type", Severity(severity), "low-loss", 0, 1, 1, 0.001, 1)


def with_incidents(gate: Gate, *severities: str, defects: tuple[Defect, ...] = ()) -> Report:
    found = [incident(severity) for severity in severities]
    item = AuditedSeries(Series("loss", [1], [0.001]), "audio", Limits(), [0], found).finished()
    return Report(gate, [RunReport("runs/a", [Source("jsonl", [])], [item], defects=list(defects))])


@pytest.mark.parametrize(
    ("severities", "fail_on", "code"),
    [
        ((), "warning", CLEAN),
        ((), "critical", CLEAN),
        ((), "never", CLEAN),
        (("info",), "warning", CLEAN),
        (("warning",), "warning", FINDINGS),
        (("warning",), "critical", CLEAN),
        (("warning",), "never", CLEAN),
        (("critical",), "warning", FINDINGS),
        (("critical",), "critical", FINDINGS),
        (("critical",), "never", CLEAN),
        (("info", "warning", "critical"), "critical", FINDINGS),
        (("warning", "warning"), "critical", CLEAN),
    ],
)
def test_the_gate_alone(severities, fail_on, code):
    assert with_incidents(Gate(fail_on), *severities).exit_code == code
    findings = [Finding("logits-empty", Severity(severity), "x") for severity in severities]
    assert Report(Gate(fail_on), findings=findings).exit_code == code


@pytest.mark.parametrize(
    ("severities", "defects", "allow_defects", "unaudited", "code"),
    [
        ((), (), False, [], CLEAN),
        ((), (), True, [UNAUDITED], NOT_AUDITED),
        ((), (DEFECT,), False, [], NOT_AUDITED),
        ((), (DEFECT,), True, [], CLEAN),
        ((), (DEFECT,), True, [UNAUDITED], NOT_AUDITED),
        (("warning",), (DEFECT,), False, [], NOT_AUDITED),
        (("warning",), (DEFECT,), True, [], CLEAN),
        (("warning",), (), False, [UNAUDITED], NOT_AUDITED),
        (("critical",), (DEFECT,), False, [], FINDINGS),
        (("critical",), (DEFECT,), True, [UNAUDITED], FINDINGS),
        (("critical",), (), False, [UNAUDITED], FINDINGS),
    ],
)
def test_found_trouble_wins_then_what_was_not_audited(severities, defects, allow_defects, unaudited, code):
    report = with_incidents(Gate("critical", allow_defects), *severities, defects=defects)
    report.unaudited = unaudited
    assert report.exit_code == code


@pytest.mark.parametrize(("allow_defects", "code"), [(False, NOT_AUDITED), (True, CLEAN)])
def test_never_fails_for_what_was_found_and_still_for_damage(allow_defects, code):
    assert with_incidents(Gate("never", allow_defects), "critical", defects=(DEFECT,)).exit_code == code


@pytest.mark.parametrize(("allow_defects", "code"), [(False, NOT_AUDITED), (True, CLEAN)])
def test_a_defect_of_no_run_counts_like_one_of_a_run(allow_defects, code):
    assert Report(Gate(allow_defects=allow_defects), stray_defects=[DEFECT]).exit_code == code


def test_everything_that_was_found_is_listed_in_order():
    stray = Defect("runs/c", "unreadable", "x")
    report = with_incidents(Gate(), "warning", "critical", defects=(DEFECT,))
    report.findings, report.stray_defects = [Finding("x", Severity.INFO, "x")], [stray]
    assert report.severities == [Severity.WARNING, Severity.CRITICAL, Severity.INFO]
    assert report.defects == [DEFECT, stray]
    assert [item.severity for item in report.incidents] == [Severity.WARNING, Severity.CRITICAL]


def test_severities_compare_by_rank():
    assert sorted(["critical", "info", "warning"], key=lambda name: Severity(name).rank) == [
        "info",
        "warning",
        "critical",
    ]
