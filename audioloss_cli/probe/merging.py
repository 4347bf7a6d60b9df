"""What the checks said of one batch after the other, kept in memory that does not grow with the batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe.check import Outcome

_LISTED, _NAMED = 20, 3  # batches that are kept, and named in a sentence
_RARE = 0.01
# What is wrong with the lie of one batch in a hundred is a fact of life in large data, unless it is critical.
_A_FACT_WHERE_RARE = frozenset({"dominant-label", "low-valid-fraction", "poor-codes"})


@dataclass
class _Found:
    """What one check found: the findings of the first batch in which it was gravest, and the batches where it was.

    Attributes:
        findings, rank: of that batch.
        count, where: how many batches it is so grave in, and the first of them.
        places: of the samples of that batch in the data set.
    """

    findings: list[Finding] = field(default_factory=list)
    rank: int = -1
    count: int = 0
    where: list[int] = field(default_factory=list)
    places: list[int] | None = None

    def add(self, number: int, findings: list[Finding], places: list[int] | None) -> None:
        rank = max(each.severity.rank for each in findings)
        if rank < self.rank:
            return
        if rank > self.rank:
            self.findings, self.rank, self.count, self.where, self.places = findings, rank, 0, [], places
        self.count += 1
        if len(self.where) < _LISTED:
            self.where.append(number)


class Merged:
    """Findings of all batches, by code."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}
        self._aside: dict[str, _Found] = {}
        self._with: dict[str, int] = {}

    def add(
        self, number: int, outcome: Outcome, aside: frozenset[str] = frozenset(), places: list[int] | None = None
    ) -> None:
        """Take what was found in a batch.

        Args:
            number: of the batch, from 0 on.
            outcome: what was found.
            aside: codes that count only if each batch has them so.
            places: of its samples in the data set.
        """
        for code in dict.fromkeys(finding.code for finding in outcome.findings):
            findings = [each for each in outcome.findings if each.code == code]
            kept = self._aside if code in aside else self._found
            kept.setdefault(code, _Found()).add(number, findings, places)

    def outcome(self, batches: int, whole: Outcome, clauses: Mapping[str, str]) -> Outcome:
        """All of it as one.

        Args:
            batches: how many there were.
            whole: what the checks said of the whole data.
            clauses: with which the checks ruled their problems out in the first batch.
        """
        for code, found in self._aside.items():
            if found.count + (self._found[code].count if code in self._found else 0) >= batches:
                self._found.setdefault(code, found)
        merged = Outcome(passed={**clauses, **whole.passed})
        of_whole = {code: max(e.severity.rank for e in whole.findings if e.code == code) for code in _codes(whole)}
        for code, found in self._found.items():
            told = [_told(each, found, batches) for each in found.findings]
            if max(each.severity.rank for each in told) > of_whole.get(code, -1):
                merged.findings += told
                of_whole.pop(code, None)
        merged.findings += [each for each in whole.findings if each.code in of_whole]
        merged.findings.sort(key=lambda finding: -finding.severity.rank)
        for finding in merged.findings:
            if finding.severity is not Severity.INFO:
                merged.passed.pop(finding.code, None)
        return merged


def _codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def _told(finding: Finding, found: _Found, batches: int) -> Finding:
    if batches == 1:
        return finding
    rare = found.count < _RARE * batches and finding.code in _A_FACT_WHERE_RARE
    lighter = rare and finding.severity is Severity.WARNING
    named = _listed(found.where, found.count)
    if found.places:
        samples = "sample" if len(found.places) == 1 else "samples"
        first = f"batch {found.where[0]}: {samples} {_listed(found.places, len(found.places))}"
        named = first if found.count == 1 else f"{named}; {first}"
    where = f"in {found.count:,} of {batches:,} batches ({named})"
    return replace(
        finding,
        severity=Severity.INFO if lighter else finding.severity,
        message=f"{where}: {finding.message}",
        evidence={
            **finding.evidence,
            "batches": found.where,
            "batches_in_all": batches,
            "samples_of_the_first": (found.places or [])[:_LISTED],
        },
    )


def _listed(numbers: list[int], count: int) -> str:
    return ", ".join(map(str, numbers[:_NAMED])) + (", ..." if count > _NAMED else "")
