"""What the page shows of one run: its state, its curves, and what was found, known and suppressed apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from audioloss_cli.model import Finding, Incident, RunReport, SeriesReport, Severity
from audioloss_cli.model.envelope import Part
from audioloss_cli.naming import classify
from audioloss_cli.outputs.html.budget import FULL_CLEAN, THUMBNAIL, Budget
from audioloss_cli.outputs.html.curve import Curve, coarser, curve_of
from audioloss_cli.outputs.html.scale import Scale

#: States of a run, the worst first.
STATES = ("critical", "warning", "damaged", "not audited", "known", "suppressed", "clean")
#: How an incident or a finding stands, in the order in which the page shows them.
STANDINGS = {
    "found": "Found",
    "known": "Known: in the baseline, does not fail the gate",
    "suppressed": "Suppressed: by the configuration, does not fail the gate",
}
_MOST_FIGURES = 24
_MOST_THUMBNAILS = 48


class Figure(NamedTuple):
    """A curve and the series that it is of; ``small`` is one of several that are compared."""

    item: SeriesReport
    curve: Curve
    small: bool


class Found(NamedTuple):
    """Something in a run: an incident of a series, or a finding about the run, of which ``series`` is None."""

    entry: Incident | Finding
    series: SeriesReport | None


@dataclass(frozen=True)
class RunView:
    """A run as its row and its section show it.

    Attributes:
        number: of the run in the report, from 0; its section is named after it.
        run: the run.
        figures: curves with axes.
        thumbnails: small curves without axes, of series that have no figure.
        left_out: why there are fewer curves than series; empty where there are not.
    """

    number: int
    run: RunReport
    figures: list[Figure]
    thumbnails: list[Figure]
    left_out: str

    @cached_property
    def found(self) -> dict[str, list[Found]]:
        """By standing, the worst first."""
        everything = [Found(finding, None) for finding in self.run.findings]
        everything += [Found(incident, item) for item in self.run.series for incident in item.incidents]
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
        if not self.run.series:
            return "not audited"
        return next((standing for standing in ("known", "suppressed") if self.found[standing]), "clean")

    @property
    def points(self) -> int:
        """Of all its series."""
        return sum(item.points for item in self.run.series)

    @property
    def last_step(self) -> int | None:
        """The highest step of any series."""
        return max((item.span[1] for item in self.run.series), default=None)

    @property
    def lowest(self) -> float | None:
        """The lowest finite value of any series."""
        return min((item.extremes[0] for item in self.run.series if item.extremes), default=None)

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the worst runs first, and those alike in the order of the report."""
        return STATES.index(self.state), self.number


def view_of(number: int, run: RunReport, budget: Budget) -> RunView:
    """Return what the page shows of a run, with as many and as fine curves as there is room for."""
    troubled = [item for item in run.series if item.incidents]
    others = [item for item in run.series if not item.incidents]
    wanted = [*troubled, *others] if troubled or budget.used < FULL_CLEAN else []
    shown = wanted[:_MOST_FIGURES]
    parts = budget.parts(len(shown)) if shown else 0
    while shown and not parts and len(shown) > 1:
        shown = shown[: len(shown) // 2]
        parts = budget.parts(len(shown))
    figures = _figures(shown, parts) if parts else []
    drawn = {id(figure.item) for figure in figures}
    rest = [] if budget.full else [item for item in (*troubled, *others) if id(item) not in drawn]
    thumbnails = list(_small(rest[:_MOST_THUMBNAILS], THUMBNAIL))
    missing = len(run.series) - len(figures) - len(thumbnails)
    left_out = f"{missing:,} more without a curve, lest the page grows too large; scan this run alone" * (missing > 0)
    return RunView(number, run, figures, thumbnails, left_out)


def thumbnail_of(run: RunReport) -> Figure | None:
    """Return the curve that the row of a run shows: of its worst series, or of its first."""
    worst = sorted(run.series, key=lambda item: -max((one.severity.rank for one in item.incidents), default=-1))
    return next(_small(worst[:1], THUMBNAIL), None)


def _figures(items: Sequence[SeriesReport], most: int) -> list[Figure]:
    """Codebooks of one kind share an axis, so that the one that is apart is seen."""
    parts = {item.tag: coarser(item.envelope.parts, most) for item in items}
    families = dict[str, list[SeriesReport]]()
    for item in items:
        if classify(item.tag).codebook is not None:
            families.setdefault(classify(item.tag).family, []).append(item)
    compared = {
        item.tag: Scale.over([part for each in family for part in parts[each.tag]])
        for family in families.values()
        if len(family) > 1
        for item in family
    }
    large = [item for item in items if item.incidents and item.tag not in compared]
    small = [item for item in items if not item.incidents and item.tag not in compared]
    return [
        *(_figure(item, parts[item.tag], small=False) for item in large),
        *(
            Figure(item, curve_of(item, parts[item.tag], compared[item.tag]), small=True)
            for family in families.values()
            for item in sorted(family, key=lambda one: classify(one.tag).codebook or 0)
            if item.tag in compared
        ),
        *(_figure(item, parts[item.tag], small=len(small) > 1 or bool(large or compared)) for item in small),
    ]


def _figure(item: SeriesReport, parts: Sequence[Part], *, small: bool) -> Figure:
    return Figure(item, curve_of(item, parts, Scale.over(parts)), small)


def _small(items: Sequence[SeriesReport], most: int) -> Iterator[Figure]:
    for item in items:
        yield _figure(item, coarser(item.envelope.parts, most), small=True)
