"""When an audit fails, and what stands apart from that: findings that are known, and those that are suppressed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from audioloss_cli.model.alert import Severity
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED

FailOn = Literal["warning", "critical", "never"]
#: Whether an incident or a finding counts at the gate: only what is ``found`` does; what is ``known`` stands in the
#: baseline, and ``suppressed`` is what the configuration accepts, for a reason.
Standing = Literal["found", "known", "suppressed"]


class StaleSuppression(NamedTuple):
    """A suppression of the configuration that does nothing any more.

    Attributes:
        suppression: what it says, such as ``code = 'low-loss', run = 'old-*'``.
        reason: why it does nothing: ``expired on 2026-03-01`` or ``matches nothing``.
        file: where it stands; empty where it came from a caller.
    """

    suppression: str
    reason: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """When an audit fails.

    Attributes:
        fail_on: the lowest severity that does.
        allow_defects: a damaged log may pass.
        allow_unread: a log that was not read may pass.
        max_incidents: so many incidents at or above ``fail_on`` may pass; findings about a run as a whole may not.
        require_tags: globs; each run must hold numbers of a scalar that matches, for each of them.
        min_steps: each run must have got as far as this many training steps; 0 for any number.
        fail_on_stale_suppressions: a suppression that does nothing any more fails the audit.
        exit_zero: what was found does not change the exit code; what could not be audited does.
    """

    fail_on: FailOn = "warning"
    allow_defects: bool = False
    allow_unread: bool = False
    max_incidents: int = 0
    require_tags: tuple[str, ...] = ()
    min_steps: int = 0
    fail_on_stale_suppressions: bool = False
    exit_zero: bool = False

    def fails(self, severity: Severity) -> bool:
        """Whether something of this severity is at or above the gate."""
        return self.fail_on != "never" and severity.rank >= Severity(self.fail_on).rank

    def is_failed(
        self, incidents: Iterable[Severity], findings: Iterable[Severity] = (), *, stale: bool = False
    ) -> bool:
        """Whether more was found than the gate lets pass; see ``exit_code``."""
        grave = sum(map(self.fails, incidents))
        return (
            grave > self.max_incidents or any(map(self.fails, findings)) or (stale and self.fail_on_stale_suppressions)
        )

    def exit_code(
        self, incidents: Iterable[Severity], findings: Iterable[Severity] = (), *, stale: bool, incomplete: bool
    ) -> int:
        """1 if the gate is failed, 3 if something could not be audited in full, else 0.

        Found trouble wins over damage: it is certain, whatever the unreadable part would have added.

        Args:
            incidents: severity of each one that is neither known nor suppressed.
            findings: the same of a probe, of runs as a whole, and of runs that lack what the gate asks for.
            stale: whether there are suppressions that do nothing any more.
            incomplete: whether something that was named was not audited, or not in full, and may not pass.
        """
        if self.is_failed(incidents, findings, stale=stale) and not self.exit_zero:
            return FINDINGS
        return NOT_AUDITED if incomplete else CLEAN
