"""What the checks say of a step, put in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audioloss_cli.model import Diagnosis, Finding, Severity
from audioloss_cli.probe.check import Outcome
from audioloss_cli.probe.diagnose import diagnose

#: Checks whose facts are worth a note while all is well: they say how a healthy loss is to be read.
NOTES = frozenset({"special-labels"})


@dataclass
class Examination:
    """What the checks say of a step.

    Attributes:
        findings: the gravest first.
        diagnoses: root causes, the most likely first.
        notes: what could not be examined, and why.
    """

    findings: list[Finding] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examination_of(outcomes: Sequence[Outcome], notes: list[str]) -> Examination:
    """Of the outcomes on one micro-batch; ``notes``: what could not be examined."""
    findings = grave([finding for outcome in outcomes for finding in outcome.findings])
    passed = {code: clause for outcome in outcomes for code, clause in outcome.passed.items()}
    found = {each.code for each in findings}
    return Examination(findings, diagnose(findings, {c: p for c, p in passed.items() if c not in found}), notes)


def with_noted(found: Examination, noted: Sequence[Finding]) -> Examination:
    """The same, with what was found of losses and gradients; all of it speaks for causes."""
    if not noted and not found.findings:
        return found
    # Of a total that is the text alone, one batch looks constant; what is trained was seen to have gradients elsewhere.
    known = {each.code for each in noted}
    misled = "no-audio-gradient" in known and "constant-loss" not in known
    own = [each for each in found.findings if not (misled and each.code == "constant-loss")]
    findings = grave([*noted, *own])
    if not noted and found.diagnoses:
        return found
    return Examination(findings, diagnose(findings, {}), found.notes)


def grave(findings: Sequence[Finding]) -> list[Finding]:
    """Each code once, the gravest first."""
    once: dict[str, Finding] = {}
    for each in sorted(findings, key=lambda finding: -finding.severity.rank):
        once.setdefault(each.code, each)
    return list(once.values())


def to_be_said(findings: Sequence[Finding]) -> list[Finding]:
    """Each code once: what is of at least a warning, and the facts of ``NOTES``."""
    return grave([each for each in findings if each.severity is not Severity.INFO or each.code in NOTES])


def gravity(outcomes: Sequence[Outcome]) -> int:
    """The higher, the worse a micro-batch looks."""
    return sum(4**finding.severity.rank for outcome in outcomes for finding in outcome.findings)
