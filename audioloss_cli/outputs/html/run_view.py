"""What the page shows of one run: its state, its curves, and what was found, known and suppressed apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from audioloss_cli.model import Finding, Incident, RunReport, Severity
from audioloss_cli.model.envelope import Part
from audioloss_cli.naming import classify
from audioloss_cli.outputs._scale import Scale
from audioloss_cli.outputs.html.budget import FULL_CLEAN, THUMBNAIL, Budget
from audioloss_cli.outputs.html.curve import Curve, coarser, curve_of
from audioloss_cli.outputs.html.series_view import SeriesView

#: States of a run, the worst first.
STATES = ("critical", "warning", "damaged", "not audited", "known", "suppressed", "clean")
#: The first of them that is no trouble at the gate.
FIRST_CALM = STATES.index("known")
#: How an incident or a finding stands, in the order in which the page shows them.
STANDINGS = {
    "found": "Found",
    "known": "Known: in the baseline, does not fail the gate",
    "suppressed": "Suppressed: by the configuration, does not fail the gate",
}
_MOST_FIGURES = 24


class Figure(NamedTuple):
    """A curve and the series that it is of; ``small`` is one of several that are compared."""

    series: SeriesView
    curve: Curve
    small: bool


class Found(NamedTuple):
    """Something in a run: an incident of a series, or a finding about the run, of which ``tag`` is None."""

    entry: Incident | Finding
    tag: str | None


@dataclass(frozen=True)
class RunView:
    """A run as its row and its section show it.

    Attributes:
        number: of the run in the report, from 0; its section is named after it.
        run: the run.
        series: its series.
        figures: curves with axes.
        thumbnails: small curves without axes, of series that have no figure.
        left_out: why there are fewer curves than series; empty where there are not.
        entries: how many incidents of one standing are told in full.
        thumbnail: the curve that its row shows: of its worst series; None where there is none.
    """

    number: int
    run: RunReport
    series: list[SeriesView]
    figures: list[Figure]
    thumbnails: list[Figure]
    left_out: str
    entries: int
    thumbnail: Figure | None

    @cached_property
    def found(self) -> dict[str, list[Found]]:
        """By standing, the worst first."""
        everything = [Found(finding, None) for finding in self.run.findings]
        everything += [Found(incident, item.tag) for item in self.run.series for incident in item.incidents]
        everything.sort(key=lambda one: -one.entry.severity.rank)
        return {standing: [one for one in everything if one.entry.standing == standing] for standing in STANDINGS}

    @property
    def worst(self) -> Found | None:
        """What the row of the run names."""
        return next((one for every in self.found.values() for one in every), None)

    @cached_property
    def state(self) -> str:
        """One of ``STATES``."""
        severities = {one.entry.severity for one in self.found["found"]}
        for severity in (Severity.CRITICAL, Severity.WARNING):
            if severity in severities:
                return str(severity)
        if self.run.defects:
            return "damaged"
        if not self.run.series and self.run.checkpoint is None:
            return "not audited"
        return next((standing for standing in ("known", "suppressed") if self.found[standing]), "clean")

    @property
    def points(self) -> int:
        """Of all its series."""
        return sum(each.points for each in self.series)

    @property
    def last_step(self) -> int | None:
        """The highest step of any series; that of a checkpoint."""
        if self.run.checkpoint is not None:
            return self.run.checkpoint.step
        return max((each.span[1] for each in self.series), default=None)

    @property
    def lowest(self) -> float | None:
        """The lowest finite value of any series."""
        return min((each.extremes[0] for each in self.series if each.extremes), default=None)

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the worst runs first, and those alike in the order of the report."""
        return STATES.index(self.state), self.number


def view_of(number: int, run: RunReport, budget: Budget) -> RunView:
    """Return what the page shows of a run, with as many and as fine curves as there is room for."""
    series = [SeriesView(item) for item in run.series]
    by_rank = sorted(series, key=lambda each: -each.rank)
    troubled = any(item.incidents for item in run.series)
    shown = by_rank[:_MOST_FIGURES] if troubled or budget.used < FULL_CLEAN else []
    while shown and not budget.parts(len(shown)):
        shown = shown[: len(shown) // 2]
    figures = _figures(shown, budget.parts(len(shown))) if shown else []
    thumbnails = list(_thumbnails(by_rank[len(shown) :][: budget.thumbnails]))
    missing = len(series) - len(figures) - len(thumbnails)
    left_out = f"{missing:,} more without a curve, lest the page grows too large; scan this run alone" * (missing > 0)
    thumbnail = None if budget.full else next(_thumbnails(by_rank[:1]), None)
    return RunView(number, run, series, figures, thumbnails, left_out, budget.entries, thumbnail)


def _figures(shown: Sequence[SeriesView], most: int) -> list[Figure]:
    """Codebooks of one kind share an axis, so that the one that is apart is seen."""
    parts = {each.tag: coarser(each.parts, most) for each in shown}
    families = dict[str, list[SeriesView]]()
    for each in shown:
        if classify(each.tag).codebook is not None:
            families.setdefault(classify(each.tag).family, []).append(each)
    together = [family for family in families.values() if len(family) > 1]
    compared = {each.tag for family in together for each in family}
    large = [each for each in shown if each.item.incidents and each.tag not in compared]
    others = [each for each in shown if not each.item.incidents and each.tag not in compared]
    figures = [_figure(each, parts[each.tag], small=False) for each in large]
    for family in together:
        scale = Scale.over([part for each in family for part in parts[each.tag]])
        family.sort(key=lambda each: classify(each.tag).codebook or 0)
        figures += [Figure(each, curve_of(each, parts[each.tag], scale), small=True) for each in family]
    small = bool(figures) or len(others) > 1
    return figures + [_figure(each, parts[each.tag], small=small) for each in others]


def _figure(series: SeriesView, parts: Sequence[Part], *, small: bool) -> Figure:
    return Figure(series, curve_of(series, parts, Scale.over(parts)), small)


def _thumbnails(series: Sequence[SeriesView]) -> Iterator[Figure]:
    for each in series:
        yield _figure(each, coarser(each.parts, THUMBNAIL), small=True)
