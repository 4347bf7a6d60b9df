"""What a check is, and how all of them are run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.model import Finding, RuleText, Severity
from audioloss_cli.probe.measure.evidence import Evidence

FOLDER = "probe.checks"


class Problem(NamedTuple):
    """What a check found; its code is the check's file name, its advice the Fix of the check's docstring.

    Attributes:
        severity: ``INFO`` for a measured fact that is no trouble by itself.
        message: one sentence with the numbers that matter.
        evidence: the numbers, ready for JSON.
    """

    severity: Severity
    message: str
    evidence: Mapping[str, Any] = MappingProxyType({})


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


def run_checks(evidence: Evidence, names: tuple[str, ...] | None = None) -> Outcome:
    """Every check, or those that are named."""
    outcome = Outcome()
    for name in registry.names(FOLDER) if names is None else names:
        module = registry.load(FOLDER, name)
        code, found = registry.code_of(name), list(cast("Check", module).check(evidence))
        advice = RuleText.of(module).fix if module.__doc__ else ""  # python -OO strips it
        outcome.findings += [Finding(code, each.severity, each.message, dict(each.evidence), advice) for each in found]
        clause = cast("Check", module).passed(evidence)
        if clause and not any(each.severity is not Severity.INFO for each in found):
            outcome.passed[code] = clause
    return outcome
