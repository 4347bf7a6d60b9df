"""What healthy runs are like: the lowest loss, the noise, the falls and the cadence of each tag."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from audioloss_cli.model import Report, Series
from audioloss_cli.model.median import median
from audioloss_cli.model.rule import Kind
from audioloss_cli.model.series_report import SeriesReport

_WINDOW = 9  # points of a median, as the adaptive rules take them


@dataclass(slots=True)
class TagFigures:
    """One tag over all runs that have it.

    Attributes:
        tag: as logged.
        kind: of the loss, as the audit took it; ``ce`` where runs differ.
        reason: why it is not taken for a cross entropy.
        runs, points: how many.
        stride: median distance of two points, in steps.
        start: median over the runs of the first finite value.
        lowest: the lowest finite value, with the ``lowest_run`` and ``lowest_step`` where it stands; infinite if none.
        noise: median distance of two neighbouring points, as a share of their level.
        fall: how many times the median of 9 points is the median of the next 9, at most; 1 if it never falls.
    """

    tag: str
    kind: Kind = "ce"
    reason: str = ""
    runs: int = 0
    points: int = 0
    stride: float = 0.0
    start: float = math.nan
    lowest: float = math.inf
    lowest_run: str = ""
    lowest_step: int = 0
    noise: float = 0.0
    fall: float = 1.0
    _strides: list[float] = field(default_factory=list)
    _starts: list[float] = field(default_factory=list)
    _noises: list[float] = field(default_factory=list)

    def add(self, run: str, report: SeriesReport, series: Series) -> None:
        """Take in the series of one run."""
        self.kind, self.reason = (report.kind, report.kind_reason) if not self.runs else self._joined(report)
        self.runs, self.points = self.runs + 1, self.points + len(series)
        known = [(step, value) for step, value in zip(series.steps, series.values, strict=True) if math.isfinite(value)]
        values = [value for _, value in known]
        self._strides += [median([after - before for before, after in pairwise(series.steps)])] if series else []
        self._starts += values[:1]
        if len(values) > 1:
            self._noises.append(median(list(_distances(values))))
            self.fall = max(self.fall, _fall(values))
        step, value = min(known, key=lambda point: point[1], default=(0, math.inf))
        if value < self.lowest:
            self.lowest, self.lowest_run, self.lowest_step = value, run, step
        self.stride = median(self._strides) if self._strides else 0.0
        self.start = median(self._starts) if self._starts else math.nan
        self.noise = median(self._noises) if self._noises else 0.0

    def _joined(self, report: SeriesReport) -> tuple[Kind, str]:
        return (self.kind, self.reason) if report.kind == self.kind else ("ce", "")


def measure(report: Report) -> list[TagFigures]:
    """The figures of every audited tag, by name; the report keeps its points."""
    found: dict[str, TagFigures] = {}
    for run in report.runs:
        for item in run.series:
            if item.series is not None:
                found.setdefault(item.tag, TagFigures(item.tag)).add(run.run, item, item.series)
    return [found[tag] for tag in sorted(found)]


def _distances(values: Sequence[float]) -> Iterator[float]:
    for before, after in pairwise(values):
        level = max(abs(before), abs(after))
        yield abs(after - before) / level if level else 0.0


def _fall(values: Sequence[float]) -> float:
    medians = [median(list(values[at : at + _WINDOW])) for at in range(0, len(values), _WINDOW)]
    falls = [before / after for before, after in pairwise(medians) if after > 0]
    return max(falls, default=1.0)
