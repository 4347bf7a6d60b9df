"""What is kept of one audited series: while its run is audited, and in the report."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.envelope import PARTS, PARTS_WITH_INCIDENTS, Envelope
from audioloss_cli.model.incident import Incident
from audioloss_cli.model.limits import Limits
from audioloss_cli.model.rule import Kind
from audioloss_cli.model.series import Series, StepSource

if TYPE_CHECKING:
    from collections.abc import Sequence

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
