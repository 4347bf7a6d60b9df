"""What a check is, and how all of them are run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from audioloss_cli import registry
from audioloss_cli.model import Finding, Problem, RuleText, Severity
from audioloss_cli.probe.measure.evidence import Evidence

FOLDER = "probe.checks"


class Check(Protocol):
    """A module of ``probe/checks``: a What / Why / Fix docstring and two functions."""

    def check(self, evidence: Evidence) -> Iterator[Problem]:
        """Every problem; nothing where the evidence cannot tell."""
        ...

    def passed(self, evidence: Evidence) -> str:
        """A clause with the numbers that speak against this problem; empty where the evidence cannot tell."""
        ...


@dataclass
class Outcome:
    """What all checks said about one batch.

    Attributes:
        findings: in the order of the checks' names.
        passed: code -> the clause with which a check ruled its problem out.
    """

    findings: list[Finding] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)


def run_checks(evidence: Evidence, names: Sequence[str] | None = None, *, clauses: bool = True) -> Outcome:
    """Every check, or those that are named; without ``clauses`` none is asked what it rules out."""
    outcome = Outcome()
    for name in registry.names(FOLDER) if names is None else names:
        module = registry.load(FOLDER, name)
        code, found = registry.code_of(name), list(cast("Check", module).check(evidence))
        advice = RuleText.of(module).fix if found and module.__doc__ else ""  # python -OO strips it
        outcome.findings += [Finding(code, each.severity, each.message, dict(each.evidence), advice) for each in found]
        clause = cast("Check", module).passed(evidence) if clauses else ""
        if clause and not any(each.severity is not Severity.INFO for each in found):
            outcome.passed[code] = clause
    return outcome
