"""Several batches: each fault is told once, and only what every batch speaks against is ruled out."""

import pytest

from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.check import Outcome
from audioloss_cli.probe.run import merge
from tests.probe.training import checkpoint

INFO, WARNING, CRITICAL = Severity


def found(code: str, severity: Severity = WARNING, message: str = "so") -> Finding:
    return Finding(code, severity, message, {"n": 1}, "advice")


def outcome(*findings: Finding, **passed: str) -> Outcome:
    return Outcome(list(findings), {code.replace("_", "-"): clause for code, clause in passed.items()})


def test_one_batch_stays_as_it_is():
    only = outcome(found("a"), all_masked="all count")
    assert merge([only]) == only


def test_the_gravest_come_first():
    merged = merge([outcome(found("a", INFO), found("b", WARNING), found("c", CRITICAL))])
    assert [finding.code for finding in merged.findings] == ["c", "b", "a"]


def test_a_fault_of_several_batches_is_told_once_and_says_where():
    (only,) = merge([outcome(found("a")), outcome(), outcome(found("a", message="other"))]).findings
    assert only == Finding("a", WARNING, "in 2 of 3 batches: so", {"n": 1, "batches": [0, 2]}, "advice")


def test_the_gravest_batch_speaks_and_only_its_like_are_counted():
    (only,) = merge([outcome(found("a", INFO)), outcome(found("a", CRITICAL, "worst"))]).findings
    assert (only.severity, only.message) == (CRITICAL, "in 1 of 2 batches: worst")
    assert only.evidence["batches"] == [1]


def test_all_findings_of_one_code_in_the_gravest_batch_are_kept():
    merged = merge([outcome(found("a")), outcome(found("a", message="x"), found("a", CRITICAL, "y"))])
    assert [finding.message.partition(": ")[2] for finding in merged.findings] == ["y", "x"]


def test_only_what_every_batch_rules_out_is_ruled_out():
    merged = merge([outcome(a="first", b="first"), outcome(a="second"), outcome(a="third", b="third")])
    assert merged.passed == {"a": "first"}


@pytest.mark.parametrize("place", [0, 1])
def test_what_one_batch_has_is_not_ruled_out_by_the_other(place):
    both = [outcome(found("a"), b="b"), outcome(a="clean", b="b")]
    merged = merge(both if place == 0 else both[::-1])
    assert (merged.passed, [finding.code for finding in merged.findings]) == ({"b": "b"}, ["a"])


def test_two_real_batches_of_which_one_is_masked():
    config = ProbeConfig(str(checkpoint("untrained")), "tests.probe.batches:second_masked", batches=2)
    report = probe(config)
    assert [diagnosis.cause for diagnosis in report.diagnoses] == ["all-masked"]
    assert report.diagnoses[0].evidence[0].startswith("in 1 of 2 batches: all 936 audio labels are -100")
    assert report.notes[-1] == "batches: 2, audio columns: 234, segments: 6"
