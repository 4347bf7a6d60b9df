"""What an audit ends in, whether it scanned logs or probed a checkpoint: one Report, one gate, one exit code."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from audioloss_cli.model.alert import Severity
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.envelope import PARTS, PARTS_WITH_INCIDENTS, Envelope
from audioloss_cli.model.gate import Gate, StaleSuppression, Standing
from audioloss_cli.model.incident import Incident
from audioloss_cli.model.limits import Limits
from audioloss_cli.model.rule import Kind
from audioloss_cli.model.series import Defect, Series, StepSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audioloss_cli.model.finding import Diagnosis, Finding  # a scan has none
    from audioloss_cli.model.frames import Frames
    from audioloss_cli.model.learning import LearningFigure

Role = Literal["audio", "training", "selected", "loss", "held-out"]


@dataclass(slots=True)
class AuditedSeries:
    """One series with all its points, while its run is being audited.

    Attributes:
        series: all its points, as logged.
        role, limits, segment_starts, incidents, reordered, kind, kind_reason, axis: see ``SeriesReport``.
    """

    series: Series
    role: Role
    limits: Limits
    segment_starts: list[int]
    incidents: list[Incident]
    reordered: bool = False
    kind: Kind = "ce"
    kind_reason: str = ""
    axis: TimeAxis = STEPS

    def finished(
        self, *, keep_points: bool = False, sources: "Sequence[SourceShare]" = (), beginning: tuple[str, ...] = ()
    ) -> "SeriesReport":
        """Return what is kept of it: the envelope, and all points only if they are asked for."""
        series, most = self.series, PARTS_WITH_INCIDENTS if self.incidents else PARTS
        return SeriesReport(
            series.tag,
            self.role,
            self.limits,
            Envelope.of(series, self.segment_starts, most),
            self.incidents,
            step_source=series.step_source,
            segment_starts=self.segment_starts,
            reordered=self.reordered,
            kind=self.kind,
            kind_reason=self.kind_reason,
            axis=self.axis,
            sources=list(sources),
            beginning=beginning,
            series=series if keep_points else None,
        )


class SourceShare(NamedTuple):
    """How many points of a series came from one source of its run.

    Attributes:
        source: format and files, in words: ``tensorboard``, ``text train.log``.
        tag: the name of the series there.
        points: points of the series that were taken from it.
    """

    source: str
    tag: str
    points: int


@dataclass(slots=True)
class SeriesReport:
    """One audited series and what was found in it.

    Attributes:
        tag: name of the scalar, as logged.
        role: why it was audited: an ``audio`` loss by name, the ``training`` loss for want of one, ``selected`` with
            --tag, any ``loss`` with --all-losses; a ``held-out`` loss is watched for values that are no numbers, and
            reported only if it has some.
        limits: the limits that were applied, after --scale.
        envelope: minima, maxima and means of parts of the series.
        incidents: in the order of their first step.
        step_source: where the steps come from; see ``Series``.
        segment_starts: index of the first point of each segment; the first is 0.
        reordered: the steps went back so often that the points were sorted by step.
        kind: ``ce`` for a cross entropy; ``small``, ``rl`` or ``signed`` for a loss to which the fixed thresholds do
            not apply; ``open`` for one of which nothing tells, for which they are warnings.
        kind_reason: why it is not taken for a cross entropy.
        axis: what its steps count, and why they are taken for that.
        sources: of a run with several sources, how many points each gave.
        beginning: where it has incidents, digests of its first points, by which a baseline knows it again; see
            ``findings.identity``.
        series: all its points, as they were replayed; None unless they were asked for.
    """

    tag: str
    role: Role
    limits: Limits
    envelope: Envelope
    incidents: list[Incident]
    step_source: StepSource = "step"
    segment_starts: list[int] = field(default_factory=lambda: [0])
    reordered: bool = False
    kind: Kind = "ce"
    kind_reason: str = ""
    axis: TimeAxis = STEPS
    sources: list[SourceShare] = field(default_factory=list)
    beginning: tuple[str, ...] = ()
    series: Series | None = None

    @property
    def points(self) -> int:
        """Number of points."""
        return self.envelope.points

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step."""
        return self.envelope.span

    @property
    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest finite value; None if no value is finite."""
        return self.envelope.extremes


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
    """One run: the audited series, what could not be read, and every tag that was there.

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
        runs: every run that was read, by name.
        findings: of a probe.
        diagnoses: of a probe, the most likely first.
        unaudited: what was named on the command line and not audited.
        stray_defects: of files and directories that belong to no run.
        unread: files that look like logs and were not read.
        left_out: files that were recognised as something else than logs of a training.
        config_file: where settings came from beside the command line; empty if from nowhere.
        notes: what the reader must know about how the audit was made: a device that was chosen, a part left out.
        stale_suppressions: suppressions of the configuration that do nothing any more.
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
