"""From findings to ranked root causes: what speaks for each, and what was ruled out."""

from collections.abc import Mapping, Sequence
from typing import cast

from audioloss_cli import registry
from audioloss_cli.causes import FOLDER, Cause
from audioloss_cli.model import Diagnosis, Finding, RuleText, Severity


def ranked(findings: Sequence[Finding], passed: Mapping[str, str]) -> list[Diagnosis]:
    """See ``audioloss_cli.causes.diagnose``."""
    causes = {registry.code_of(name): _load(name) for name in registry.names(FOLDER)}
    evidence = {slug: _evidence(cause, findings) for slug, cause in causes.items()}
    silent = [(slug, causes[slug]) for slug in causes if not evidence[slug]]
    ruled_out = [f"{slug}: {clause}" for slug, cause in silent if (clause := _ruled_out(cause, passed))]
    found = sorted((slug for slug in causes if evidence[slug]), key=lambda slug: _rank(causes[slug], evidence[slug]))
    return [
        Diagnosis(slug, rank, [each.message for each in evidence[slug]], ruled_out, _fix(slug))
        for rank, slug in enumerate(found, 1)
    ]


def _load(name: str) -> Cause:
    return cast("Cause", registry.load(FOLDER, name))


def _evidence(cause: Cause, findings: Sequence[Finding]) -> list[Finding]:
    codes = {*cause.CODES, *getattr(cause, "ALSO", ())}
    return [each for each in findings if each.code in codes and each.severity is not Severity.INFO]


def _ruled_out(cause: Cause, passed: Mapping[str, str]) -> str:
    """The first clause, if every check of the cause that could judge found nothing."""
    clauses = [passed[code] for code in cause.CODES if code in passed]
    return clauses[0] if len(clauses) == len(cause.CODES) else ""


def _rank(cause: Cause, findings: Sequence[Finding]) -> tuple[int, int]:
    return -max(each.severity.rank for each in findings), cause.ORDER


def _fix(slug: str) -> str:
    module = registry.load(FOLDER, slug.replace("-", "_"))
    return RuleText.of(module).fix if module.__doc__ else ""
