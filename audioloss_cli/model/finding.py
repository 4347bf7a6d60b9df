"""What a probe says: findings of its checks, and the causes that they speak for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from audioloss_cli.model.alert import Severity
from audioloss_cli.model.gate import Standing


class Problem(NamedTuple):
    """What a check found, of a probe or of a checkpoint; the check's file name is the code, its Fix the advice.

    Attributes:
        severity: ``INFO`` for a measured fact that is no trouble by itself.
        message: one sentence with the numbers that matter.
        evidence: the numbers, ready for JSON.
    """

    severity: Severity
    message: str
    evidence: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found about a checkpoint, a batch or a run as a whole.

    Attributes:
        code: stable code of what found it.
        severity: how bad it is.
        message: a sentence.
        evidence: the numbers behind it.
        advice: what to do.
        fingerprint, standing, standing_reason: see ``Incident``.
    """

    code: str
    severity: Severity
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    advice: str = ""
    fingerprint: str = ""
    standing: Standing = "found"
    standing_reason: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A root cause of the catalogue.

    Attributes:
        cause: its slug.
        rank: 1 is the most likely.
        evidence: sentences that speak for it.
        ruled_out: other causes, and what speaks against each.
        fix: what to do.
        about: the run or the checkpoint whose cause it is, where a report has several; else empty.
    """

    cause: str
    rank: int
    evidence: list[str]
    ruled_out: list[str]
    fix: str
    about: str = ""
