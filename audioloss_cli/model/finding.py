"""What a probe says: findings of its checks, and the causes that they speak for."""

from dataclasses import dataclass, field
from typing import Any

from audioloss_cli.model.alert import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a probe's check found: stable code, severity, a sentence, the numbers behind it, and what to do."""

    code: str
    severity: Severity
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A root cause of the catalogue: 1 is the most likely ``rank``; evidence for, causes ruled out, and the fix."""

    cause: str
    rank: int
    evidence: list[str]
    ruled_out: list[str]
    fix: str
