"""Findings of many batches as one: the gravest, how many, and where."""

import pytest

from audioloss_cli import Severity
from audioloss_cli.model import Finding
from audioloss_cli.probe.check import Outcome
from audioloss_cli.probe.merging import Merged


def finding(code: str, severity: Severity, words: str = "wrong") -> Finding:
    return Finding(code, severity, words, {})


def merged(*batches: list[Finding], aside: frozenset[str] = frozenset(), whole: Outcome | None = None) -> Outcome:
    found = Merged()
    for number, findings in enumerate(batches):
        found.add(number, Outcome(findings), aside)
    return found.outcome(len(batches), whole or Outcome(), {"a": "fine", "b": "fine"})


def test_the_gravest_is_told_with_the_batches_that_have_it():
    light, grave = finding("a", Severity.WARNING, "light"), finding("a", Severity.CRITICAL, "grave")
    outcome = merged([light], [grave], [], [light], [grave])
    assert [each.message for each in outcome.findings] == ["in 2 of 5 batches (1, 4): grave"]
    assert outcome.findings[0].evidence["batches"] == [1, 4]
    assert outcome.passed == {"b": "fine"}


def test_memory_does_not_grow_with_the_batches_that_have_it():
    outcome = merged(*[[finding("a", Severity.CRITICAL)]] * 1000)
    assert outcome.findings[0].message == "in 1,000 of 1,000 batches (0, 1, 2, ...): wrong"
    assert len(outcome.findings[0].evidence["batches"]) == 20


@pytest.mark.parametrize(
    ("code", "severity", "told"),
    [
        ("poor-codes", Severity.WARNING, Severity.INFO),
        ("poor-codes", Severity.CRITICAL, Severity.CRITICAL),
        ("id-out-of-range", Severity.CRITICAL, Severity.CRITICAL),
        ("bad-attention-mask", Severity.WARNING, Severity.WARNING),
    ],
)
def test_what_is_rare_is_a_fact_only_where_large_data_have_it(code, severity, told):
    outcome = merged([finding(code, severity)], *[[]] * 199)
    assert [each.severity for each in outcome.findings] == [told]


def test_what_is_set_aside_counts_only_if_every_batch_has_it():
    fault = [finding("a", Severity.CRITICAL)]
    assert merged(fault, [], aside=frozenset("a")).findings == []
    assert len(merged(fault, fault, aside=frozenset("a")).findings) == 1


def test_the_whole_is_told_where_no_batch_says_more():
    whole = Outcome([finding("a", Severity.WARNING, "whole")], {"c": "fine"})
    assert [each.message for each in merged([finding("a", Severity.WARNING)], [], whole=whole).findings] == ["whole"]
    outcome = merged([finding("a", Severity.CRITICAL, "one")], [], whole=whole)
    assert [each.message for each in outcome.findings] == ["in 1 of 2 batches (0): one"]
    assert outcome.passed == {"b": "fine", "c": "fine"}
