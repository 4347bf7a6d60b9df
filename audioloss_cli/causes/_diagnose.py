"""From findings to ranked root causes: what speaks for each, and what was ruled out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from audioloss_cli import registry
from audioloss_cli.causes import FOLDER, Cause
from audioloss_cli.model import Diagnosis, Finding, Incident, RuleText, Severity

_MOST_CLAUSES = 4


def ranked(
    findings: Sequence[Finding], passed: Mapping[str, str], incidents: Iterable[Incident], about: str
) -> list[Diagnosis]:
    """See ``audioloss_cli.causes.diagnose``."""
    causes = {registry.code_of(name): _load(name) for name in registry.names(FOLDER)}
    evidence = {slug: _evidence(cause, findings) for slug, cause in causes.items()}
    logged = _logged(incidents)
    clauses = {slug: clause for slug in causes if not evidence[slug] and (clause := _ruled_out(causes[slug], passed))}
    ruled_out = [f"{slug}: {clause}" for slug, clause in clauses.items()]
    found = sorted(
        (slug for slug in causes if evidence[slug]),
        key=lambda slug: _rank(causes[slug], evidence[slug], slug in logged),
    )
    found += [slug for slug, (likeliest, _) in logged.items() if likeliest and slug not in {*found, *clauses}]
    return [
        Diagnosis(slug, rank, _told(evidence[slug], logged.get(slug)), ruled_out, _fix(slug), about)
        for rank, slug in enumerate(found, 1)
    ]


def _logged(incidents: Iterable[Incident]) -> dict[str, tuple[bool, list[str]]]:
    """Cause -> whether it is the likeliest of an incident that counts, and what the log says for it."""
    found = dict[str, tuple[bool, list[str]]]()
    for incident in incidents:
        for cause in incident.causes if incident.severity is not Severity.INFO else ():
            likeliest, clauses = found.get(cause.cause, (False, []))
            more = [clause for clause in cause.evidence if clause not in clauses]
            found[cause.cause] = (likeliest or cause.rank == 1, [*clauses, *more])
    return found


def _told(findings: Sequence[Finding], logged: tuple[bool, list[str]] | None) -> list[str]:
    clauses = logged[1][:_MOST_CLAUSES] if logged else []
    return [*(each.message for each in findings), *(f"the log says: {clause}" for clause in clauses)]


def _load(name: str) -> Cause:
    return cast("Cause", registry.load(FOLDER, name))


def _evidence(cause: Cause, findings: Sequence[Finding]) -> list[Finding]:
    codes = {*cause.CODES, *getattr(cause, "ALSO", ())}
    return [each for each in findings if each.code in codes and each.severity is not Severity.INFO]


def _ruled_out(cause: Cause, passed: Mapping[str, str]) -> str:
    """The first clause, if every check of the cause that could judge found nothing."""
    clauses = [passed[code] for code in cause.CODES if code in passed]
    return clauses[0] if len(clauses) == len(cause.CODES) else ""


def _rank(cause: Cause, findings: Sequence[Finding], logged: bool) -> tuple[int, bool, int]:
    """Of equally grave ones first those of which the log speaks as well."""
    return -max(each.severity.rank for each in findings), not logged, cause.ORDER


def _fix(slug: str) -> str:
    module = registry.load(FOLDER, slug.replace("-", "_"))
    return RuleText.of(module).fix if module.__doc__ else ""
