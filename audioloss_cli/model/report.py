"""What an audit ends in, whether it scanned logs or probed a checkpoint: one Report, one gate, one exit code."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from audioloss_cli.model.alert import Severity
from audioloss_cli.model.gate import Gate, StaleSuppression, Standing
from audioloss_cli.model.incident import Incident
from audioloss_cli.model.series import Defect
from audioloss_cli.model.series_report import SeriesReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from audioloss_cli.model.checkpoint_report import CheckpointReport
    from audioloss_cli.model.finding import Diagnosis, Finding  # a scan has none
    from audioloss_cli.model.frames import Frames
    from audioloss_cli.model.learning import LearningFigure


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a run: files of one format that were read as one log.

    Attributes:
        format: name of the reader.
        files: what was read, in order.
    """

    format: str
    files: list[str]


@dataclass(slots=True)
class RunReport:
    """One run: the audited series, what could not be read, and every tag that was there; or one checkpoint.

    Attributes:
        run: the directory or file, as the user would type it.
        sources: what it was read from, the most precise first.
        series: the audited ones; empty when the run holds no loss.
        findings: about the run as a whole, such as two sources that contradict each other.
        defects: of all files of the run.
        tags: all scalar tags of the run, audited or not.
        not_audited: tags of losses among them that were not audited.
        note: a sentence when the audit is less than the user may think (a fallback, nothing to audit).
        blank: audio losses that the log names and never has a number for.
        details: what -v shows: what a reader took for the step and the loss, files that are no logs.
        learning: what tells whether the audio part learns, as far as the log has it.
        identity: the run as fingerprints name it, relative to the scanned root; ``.`` where it is the root itself.
        alias: its identity in a scan of the directory above; empty where there is none.
        checkpoint: what lies in it, if it is no log but a checkpoint; it has no series then.
    """

    run: str
    sources: list[Source] = field(default_factory=list)
    series: list[SeriesReport] = field(default_factory=list)
    findings: "list[Finding]" = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    not_audited: list[str] = field(default_factory=list)
    note: str = ""
    blank: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    learning: "list[LearningFigure]" = field(default_factory=list)
    identity: str = ""
    alias: str = ""
    checkpoint: "CheckpointReport | None" = None

    @property
    def standings(self) -> "list[Incident | Finding]":
        """Every incident of its series and every finding about the run, whatever they count."""
        return [*(incident for item in self.series for incident in item.incidents), *self.findings]

    def drop_curves(self) -> None:
        """Keep no more of each envelope than one part a segment: extremes, steps and number of points stay."""
        for item in self.series:
            item.envelope = item.envelope.by_segment()

    @property
    def format(self) -> str:
        """Names of the readers, the most precise source first, joined with ``+``."""
        return "+".join(dict.fromkeys(source.format for source in self.sources))

    @property
    def files(self) -> list[str]:
        """Every file that was read."""
        return [file for source in self.sources for file in source.files]


@dataclass(frozen=True, slots=True)
class Unaudited:
    """A PATH or a --tag that led to no audited series: why, the tags that were there, what to try."""

    asked: str
    reason: str
    tags: list[str] = field(default_factory=list)
    hint: str = ""


class Unread(NamedTuple):
    """A file that looks like a log and that no reader takes, or whose reader needs a package that is not installed."""

    path: str
    reason: str
    hint: str


class LeftOut(NamedTuple):
    """A file that was recognised as something else than a log of a training."""

    path: str
    reason: str


@dataclass(slots=True, repr=False)
class Report:
    """The whole audit. A scan fills runs, a probe findings and diagnoses.

    Attributes:
        gate: when it fails.
        runs: every run that was read, by name; behind them every checkpoint.
        findings: of a probe.
        diagnoses: of a probe, the most likely first.
        unaudited: what was named on the command line and not audited.
        stray_defects: of files and directories that belong to no run.
        unread: files that look like logs and were not read.
        left_out: files that were recognised as something else than logs of a training.
        config_file: where settings came from beside the command line; empty if from nowhere.
        notes: what the reader must know about how the audit was made: a device that was chosen, a part left out.
        stale_suppressions: suppressions of the configuration that do nothing any more.
        subject: what the findings of a probe are about, where a run would be named.
        with_points: makes the same report with all points of its series; None if nobody can.
    """

    gate: Gate = field(default_factory=Gate)
    runs: list[RunReport] = field(default_factory=list)
    findings: "list[Finding]" = field(default_factory=list)
    diagnoses: "list[Diagnosis]" = field(default_factory=list)
    unaudited: list[Unaudited] = field(default_factory=list)
    stray_defects: list[Defect] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    config_file: str = ""
    notes: list[str] = field(default_factory=list)
    stale_suppressions: list[StaleSuppression] = field(default_factory=list)
    subject: str = "the checkpoint and its data"
    with_points: "Callable[[], Report] | None" = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        from audioloss_cli.model.summary import three_lines  # noqa: PLC0415  # no audit needs it

        return three_lines(self)

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        from audioloss_cli.model.summary import table  # noqa: PLC0415  # no audit needs it

        return table(self)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident of every series."""
        return [incident for run in self.runs for series in run.series for incident in series.incidents]

    @property
    def defects(self) -> list[Defect]:
        """Every defect of every run, then the stray ones."""
        return [*(defect for run in self.runs for defect in run.defects), *self.stray_defects]

    @property
    def standings(self) -> "list[Incident | Finding]":
        """Every incident and every finding, of runs and of the probe, whatever they count."""
        return [*(each for run in self.runs for each in run.standings), *self.findings]

    @property
    def severities(self) -> list[Severity]:
        """Of every incident and every finding that counts at the gate: what is known or suppressed does not."""
        return [severity for found in self._found for severity in found]

    def count(self, standing: Standing) -> int:
        """Return how many incidents and findings are found, known or suppressed; what is no trouble is not counted."""
        return sum(each.standing == standing and each.severity is not Severity.INFO for each in self.standings)

    @property
    def is_failed(self) -> bool:
        """Whether more was found than the gate lets pass, whatever the exit code is."""
        return self.gate.is_failed(*self._found, stale=bool(self.stale_suppressions))

    @property
    def exit_code(self) -> int:
        """0 clean at the gate, 1 something at or above it, 3 something named could not be audited in full."""
        damaged, unread = self.defects and not self.gate.allow_defects, self.unread and not self.gate.allow_unread
        incomplete, stale = bool(self.unaudited or damaged or unread), bool(self.stale_suppressions)
        return self.gate.exit_code(*self._found, stale=stale, incomplete=incomplete)

    @property
    def _found(self) -> tuple[list[Severity], list[Severity]]:
        """Severities of the incidents and of the findings that count at the gate."""
        findings = [*self.findings, *(finding for run in self.runs for finding in run.findings)]
        return (
            [each.severity for each in self.incidents if each.standing == "found"],
            [each.severity for each in findings if each.standing == "found"],
        )

    def to_frame(self) -> "Frames":
        """The incidents and the points of all audited series, as two pandas DataFrames.

        A report that keeps no points reads the logs again.

        Returns:
            ``Frames(incidents, points)``: ``incidents`` has run, tag and the fields of ``Incident`` (steps as nullable
            Int64), ``points`` has run, tag, segment, step (int64), value (float64) and wall_time (datetime64, UTC).
        """
        from audioloss_cli.model.frames import frames  # noqa: PLC0415  # pandas costs half a second

        kept = all(item.series is not None for run in self.runs for item in run.series)
        return frames(self if kept or self.with_points is None else self.with_points())
