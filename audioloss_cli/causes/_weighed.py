"""How much a log speaks for one cause: a score, and the clauses behind it."""

from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Weighed:
    """Clauses for and against one cause, and their sum.

    Attributes:
        score: the causes of one incident are ranked by it, and left out at 0 or below. 0.3 is possible, 0.6 fits well,
            0.9 leaves little else.
        evidence: clauses that speak for the cause, with their numbers.
        against: clauses that speak against it.
    """

    score: float = 0.0
    evidence: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)

    def plus(self, weight: float, clause: str) -> Self:
        """Something speaks for the cause."""
        self.score += weight
        self.evidence.append(clause)
        return self

    def minus(self, weight: float, clause: str) -> Self:
        """Something speaks against it."""
        self.score -= weight
        self.against.append(clause)
        return self
