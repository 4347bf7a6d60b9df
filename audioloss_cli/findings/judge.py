"""What each finding counts at the gate, decided once, when its run is finished."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.config import ScanConfig
from audioloss_cli.findings.identity import Identity, RunNames, identities, identities_of_probe
from audioloss_cli.model import Finding, Gate, Incident, Report, RunReport, Severity, StaleSuppression
from audioloss_cli.model.gate import Standing

if TYPE_CHECKING:
    from audioloss_cli.findings.baseline import Baseline
    from audioloss_cli.findings.suppressions import Suppressions

_POLICIES = "findings.policies"
#: Folders of what a scan can find, of what a probe can, and of what can be wrong with files of checkpoints.
SCAN = ("rules", "runs.findings", _POLICIES)
PROBE = ("probe.checks",)
CHECKPOINTS = ("checkpoints.checks",)


class Policy(Protocol):
    """A module of ``findings/policies``: a What / Why / Fix docstring and one function."""

    def check(self, run: RunReport, gate: Gate) -> Iterable[Finding]:
        """What the gate asks of a run and the run has not; nothing if the gate does not ask for it."""
        ...


class Judge:
    """Tells what is found from what is known and what is suppressed.

    Args:
        gate: when an audit fails, and the policies that every run is held to.
        suppressions: of the configuration; None if there are none.
        baseline: the findings that are known; None if none are.
    """

    def __init__(
        self,
        gate: Gate | None = None,
        suppressions: "Suppressions | None" = None,
        baseline: "Baseline | None" = None,
    ) -> None:
        self.gate = gate or Gate()
        self._suppressions, self._baseline = suppressions, baseline
        self._taken = set[str]()

    def finish(self, run: RunReport, names: RunNames) -> RunReport:
        """Give a run its identity, hold it to the policies, and give each of its findings its standing.

        Args:
            run: a run that nobody has seen yet.
            names: how the runs of this scan are named.
        """
        run.identity, run.alias = names.of(run.run)
        while run.identity in self._taken:  # a second run in one place, of another format
            run.identity += f" [{run.format}]"
        self._taken.add(run.identity)
        for name in self._policies() if run.checkpoint is None else ():
            run.findings = [*run.findings, *cast("Policy", registry.load(_POLICIES, name)).check(run, self.gate)]
        judged = [self._judged(finding, identity, run.run) for finding, identity in identities(run)]
        run.findings = [finding for finding in judged if isinstance(finding, Finding)]
        return run

    def finish_probe(self, report: Report, checkpoint: str, config_file: str = "") -> Report:
        """Return the report of a probe, its findings with their standing, the baseline and suppressions held to it all.

        Args:
            report: of a checkpoint; the runs in it were finished by this judge, too.
            checkpoint: as it was typed; the run that a suppression may name.
            config_file: where settings came from.
        """
        judged = [self._judged(each, identity, checkpoint) for each, identity in identities_of_probe(report.findings)]
        scanned = any(run.checkpoint is None for run in report.runs)
        return replace(
            report,
            findings=[finding for finding in judged if isinstance(finding, Finding)],
            stale_suppressions=self.stale(*PROBE, *CHECKPOINTS, *(SCAN if scanned else ())),
            notes=[*report.notes, *self.notes],
            config_file=config_file,
        )

    def stale(self, *folders: str) -> list[StaleSuppression]:
        """Return the suppressions that did nothing, after all that can be found by plugins of these folders was."""
        if self._suppressions is None:
            return []
        others = [folder for folder in (*SCAN, *PROBE, *CHECKPOINTS) if folder not in folders]
        return list(self._suppressions.stale(_codes(folders), _codes(others)))

    @property
    def notes(self) -> list[str]:
        """What the report must say about the baseline."""
        remark = self._baseline.remark if self._baseline else ""
        return [remark] if remark else []

    def _policies(self) -> tuple[str, ...]:
        asked = self.gate.require_tags or self.gate.min_steps
        return registry.names(_POLICIES) if asked else ()

    def _judged(self, finding: Incident | Finding, identity: Identity, run: str) -> Incident | Finding:
        standing, reason = self._standing(finding, identity, run)
        if isinstance(finding, Finding):
            return replace(finding, fingerprint=identity.fingerprint, standing=standing, standing_reason=reason)
        finding.fingerprint, finding.standing, finding.standing_reason = identity.fingerprint, standing, reason
        return finding

    def _standing(self, finding: Incident | Finding, identity: Identity, run: str) -> tuple[Standing, str]:
        known = self._baseline.entry_of(identity) if self._baseline else None
        accepted, reason = self._suppressions.accept(identity, finding.code, run) if self._suppressions else (False, "")
        if accepted:
            return "suppressed", reason
        if known is None or self._baseline is None or finding.severity is Severity.INFO:
            return "found", reason
        if finding.severity.rank > known.severity.rank:
            return "found", f"worse than in {self._baseline.file}: {known.code}, {known.severity} there"
        return "known", f"in {self._baseline.file}"


def _codes(folders: Iterable[str]) -> list[str]:
    return [registry.code_of(name) for folder in folders for name in registry.names(folder)]


def _suppressions(config: ScanConfig, file: str) -> "Suppressions":
    from audioloss_cli.findings.suppressions import Suppressions, suppressions_of  # noqa: PLC0415  # few scans have any

    return Suppressions(suppressions_of(config.suppress), datetime.now(UTC).date(), file)


def _read(baseline: str) -> "Baseline":
    from audioloss_cli.findings.baseline import Baseline  # noqa: PLC0415  # few scans have one, and it needs json

    return Baseline.read(baseline)


def judge_of(config: ScanConfig, config_file: str = "") -> Judge:
    """Return the judge that these settings ask for.

    Raises:
        ConfigError: the baseline cannot be read, or is none.
        SettingError: a suppression makes no sense.
    """
    baseline = _read(config.baseline) if config.baseline else None
    return Judge(config.gate, _suppressions(config, config_file) if config.suppress else None, baseline)
