"""What a check of a checkpoint is, and how all of them are run."""

from collections.abc import Iterator
from typing import Protocol, cast

from audioloss_cli import registry
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Finding, Problem, RuleText, Severity, printable

FOLDER = "checkpoints.checks"


class Check(Protocol):
    """A module of ``checkpoints/checks``: a What / Why / Fix docstring and two functions."""

    def check(self, evidence: CheckpointEvidence) -> Iterator[Problem]:
        """Every problem; nothing where the evidence cannot tell."""
        ...

    def passed(self, evidence: CheckpointEvidence) -> str:
        """A clause with the numbers that speak against this problem; empty where the evidence cannot tell."""
        ...


def run_checks(evidence: CheckpointEvidence) -> tuple[list[Finding], dict[str, str]]:
    """Return every finding, the gravest first, and code -> clause of the checks that ruled their problem out."""
    findings, passed = list[Finding](), dict[str, str]()
    for name in registry.names(FOLDER):
        module = registry.load(FOLDER, name)
        code, found = registry.code_of(name), list(cast("Check", module).check(evidence))
        advice = RuleText.parse(registry.docstring(FOLDER, name), name).fix if found else ""
        findings += [
            Finding(code, each.severity, printable(each.message), dict(each.evidence), advice) for each in found
        ]
        clause = cast("Check", module).passed(evidence)
        if clause and not any(each.severity is not Severity.INFO for each in found):
            passed[code] = clause
    findings.sort(key=lambda finding: -finding.severity.rank)
    return findings, passed


def faults_of(evidence: CheckpointEvidence, code: str) -> Iterator[Problem]:
    """Yield what was found with this code while the files were opened."""
    for fault in evidence.checkpoint.faults:
        if fault.code == code:
            yield Problem(fault.severity, fault.message, fault.evidence)
