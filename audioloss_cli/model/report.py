"""What an audit ends in, whether it scanned logs or probed a checkpoint: one Report, one gate, one exit code."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from audioloss_cli.model.alert import Severity
from audioloss_cli.model.columns import blocks
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED
from audioloss_cli.model.incident import Incident
from audioloss_cli.model.limits import Limits
from audioloss_cli.model.rule import Kind
from audioloss_cli.model.series import Defect, Series

if TYPE_CHECKING:
    from audioloss_cli.model.finding import Diagnosis, Finding  # a scan has none
    from audioloss_cli.model.frames import Frames

FailOn = Literal["warning", "critical", "never"]
Role = Literal["audio", "training", "selected", "loss"]


@dataclass(frozen=True, slots=True)
class Gate:
    """When an audit fails: the lowest severity that does, and whether a damaged log may pass."""

    fail_on: FailOn = "warning"
    allow_defects: bool = False

    def fails(self, severity: Severity) -> bool:
        """Whether something of this severity is at or above the gate."""
        return self.fail_on != "never" and severity.rank >= Severity(self.fail_on).rank


@dataclass(slots=True)
class SeriesReport:
    """One audited series and what was found in it.

    Attributes:
        series: all its points, as logged.
        role: why it was audited: an ``audio`` loss by name, the ``training`` loss for want of one, ``selected`` with
            --tag, any ``loss`` with --all-losses.
        limits: the limits that were applied, after --scale.
        segment_starts: index of the first point of each segment; the first is 0.
        incidents: in the order of their first step.
        reordered: the steps went back so often that the points were sorted by step.
        kind: ``ce`` for a cross entropy, ``small`` or ``rl`` for a loss to which the fixed thresholds do not apply.
        kind_reason: why it is not taken for a cross entropy.
    """

    series: Series
    role: Role
    limits: Limits
    segment_starts: list[int]
    incidents: list[Incident]
    reordered: bool = False
    kind: Kind = "ce"
    kind_reason: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step; within a segment no step is lower than the one before."""
        steps, starts = self.series.steps, self.segment_starts
        ends = [*starts[1:], len(self.series)]
        return min(int(steps[start]) for start in starts), max(int(steps[end - 1]) for end in ends)

    @property
    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest finite value; None if no value is finite."""
        low, high = math.inf, -math.inf
        for block in blocks(self.series.values):
            finite = [value for value in block if math.isfinite(value)]
            low, high = min([low, *finite]), max([high, *finite])
        return (low, high) if low <= high else None


@dataclass(slots=True)
class RunReport:
    """One run: the audited series, what could not be read, and every tag that was there.

    Attributes:
        run: the directory or file, as the user would type it.
        format: name of the reader.
        series: the audited ones; empty when the run holds no loss.
        defects: of all files of the run.
        tags: all scalar tags of the run, audited or not.
        note: a sentence when the audit is less than the user may think (a fallback, nothing to audit).
        files: what was read, in order.
        details: how its files were read, where their format leaves that open.
        blank: audio losses that the log names and never has a number for.
    """

    run: str
    format: str
    series: list[SeriesReport] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    note: str = ""
    files: list[str] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unaudited:
    """A PATH or a --tag that led to no audited series: why, the tags that were there, what to try."""

    asked: str
    reason: str
    tags: list[str] = field(default_factory=list)
    hint: str = ""


@dataclass(slots=True)
class Report:
    """The whole audit. A scan fills runs, a probe findings and diagnoses.

    Attributes:
        gate: when it fails.
        runs: every run that was read, by name.
        findings: of a probe.
        diagnoses: of a probe, the most likely first.
        unaudited: what was named on the command line and not audited.
        stray_defects: of files and directories that belong to no run.
        config_file: where settings came from beside the command line; empty if from nowhere.
        notes: what the reader must know about how the audit was made: a device that was chosen, a part left out.
    """

    gate: Gate = field(default_factory=Gate)
    runs: list[RunReport] = field(default_factory=list)
    findings: "list[Finding]" = field(default_factory=list)
    diagnoses: "list[Diagnosis]" = field(default_factory=list)
    unaudited: list[Unaudited] = field(default_factory=list)
    stray_defects: list[Defect] = field(default_factory=list)
    config_file: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident of every series."""
        return [incident for run in self.runs for series in run.series for incident in series.incidents]

    @property
    def defects(self) -> list[Defect]:
        """Every defect of every run, then the stray ones."""
        return [*(defect for run in self.runs for defect in run.defects), *self.stray_defects]

    @property
    def severities(self) -> list[Severity]:
        """Of every incident and every finding."""
        return [*(incident.severity for incident in self.incidents), *(finding.severity for finding in self.findings)]

    @property
    def exit_code(self) -> int:
        """0 clean at the gate, 1 something at or above it, 3 something named could not be audited in full.

        Found trouble wins over damage: it is certain, whatever the unreadable part would have added.
        """
        if any(self.gate.fails(severity) for severity in self.severities):
            return FINDINGS
        if self.unaudited or (self.defects and not self.gate.allow_defects):
            return NOT_AUDITED
        return CLEAN

    def to_frame(self) -> "Frames":
        """The incidents and the points of all audited series, as two pandas DataFrames.

        Returns:
            ``Frames(incidents, points)``: ``incidents`` has run, tag and the fields of ``Incident`` (steps as nullable
            Int64), ``points`` has run, tag, segment, step (int64), value (float64) and wall_time (datetime64, UTC).
        """
        from audioloss_cli.model.frames import frames  # noqa: PLC0415  # pandas costs half a second

        return frames(self)
