"""How the findings of a probe become a ranking of root causes."""

from audioloss_cli import Severity, registry
from audioloss_cli.causes import FOLDER, diagnose
from audioloss_cli.model import Finding, RuleText

CAUSES = registry.names(FOLDER)


def found(code: str, severity: Severity, message: str = "so it is") -> Finding:
    return Finding(code, severity, message)


def causes_of(*findings: Finding) -> list[str]:
    return [each.cause for each in diagnose(findings, {})]


def test_the_gravest_comes_first_then_the_earliest():
    grave, early = found("memorised", Severity.CRITICAL), found("empty-input", Severity.WARNING)
    assert causes_of(early, grave) == ["memorised", "inputs-filtered"]
    assert causes_of(found("memorised", Severity.WARNING), early) == ["inputs-filtered", "memorised"]
    assert [each.rank for each in diagnose([early, grave], {})] == [1, 2]


def test_one_grave_finding_lifts_its_cause():
    mixed = [found("label-leak", Severity.WARNING), found("not-causal", Severity.CRITICAL)]
    assert causes_of(found("empty-input", Severity.WARNING), *mixed) == ["no-shift", "inputs-filtered"]


def test_facts_diagnose_nothing():
    facts = [found(code, Severity.INFO) for name in CAUSES for code in registry.load(FOLDER, name).CODES]
    assert diagnose(facts, {}) == []


def test_findings_about_files_and_about_a_batch_are_weighed_together():
    files, batch = found("audio-unchanged", Severity.CRITICAL, "frozen"), found("dominant-label", Severity.WARNING)
    first, second = diagnose([batch, files], {})
    assert (first.cause, first.evidence, second.cause) == ("audio-head-frozen", ["frozen"], "bad-codes")
    assert causes_of(found("config-mismatch", Severity.CRITICAL)) == ["bad-codes"]


def test_findings_of_no_cause_diagnose_nothing():
    assert diagnose([found("forward-failed", Severity.CRITICAL)], {}) == []


def test_the_evidence_is_all_that_was_found_but_facts():
    (only,) = diagnose(
        [
            found("label-leak", Severity.CRITICAL, "copied"),
            found("not-causal", Severity.WARNING, "seen"),
            found("label-leak", Severity.INFO, "a fact"),
            found("forward-failed", Severity.CRITICAL, "another matter"),
        ],
        {},
    )
    assert only.evidence == ["copied", "seen"]
    assert only.fix == RuleText.of(registry.load(FOLDER, "no_shift")).fix


def test_what_is_diagnosed_is_not_ruled_out_nor_what_no_check_could_judge():
    passed = {
        "not-causal": "moves nothing",
        "double-shift": "7 and 7",
        "all-masked": "all count",
        "memorised": "7 nats",
    }
    (only,) = diagnose([found("label-leak", Severity.CRITICAL)], passed)
    assert only.ruled_out == ["double-shift: 7 and 7", "memorised: 7 nats"]


def test_a_cause_of_which_every_check_passed_is_ruled_out_by_the_first():
    passed = {"all-masked": "all count", "masked-samples": "none masked"}
    (only,) = diagnose([found("memorised", Severity.WARNING)], passed)
    assert only.ruled_out == ["all-masked: all count"]
