"""Several sources of one run made one run: the most precise points of each series, and what only others have."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from audioloss_cli.model import Finding, Series
from audioloss_cli.model.series_report import SourceShare
from audioloss_cli.runs.findings import sources_disagree
from audioloss_cli.runs.same_run import Unit, compare, has_steps, in_steps_of, is_telling, plain_name, related


@dataclass(slots=True)
class MergedRun:
    """One run, of one unit or of several.

    Attributes:
        units: the most precise first.
        series: by tag; those of the most precise unit keep their tags.
        shares: by tag, how many points came from which unit; empty for a run of one unit.
        findings: contradictions between the units.
    """

    units: list[Unit]
    series: dict[str, Series]
    shares: dict[str, list[SourceShare]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Clusters:
    """Takes units one by one and finds those that are of one run."""

    def __init__(self) -> None:
        self.clusters: list[list[Unit]] = []

    def add(self, unit: Unit) -> None:
        """Take in a unit; it joins every cluster to which it is related."""
        joined, others = [unit], list[list[Unit]]()
        for cluster in self.clusters:
            if any(_of_one_run(unit, each) for each in cluster):
                joined = [*cluster, *joined]
            else:
                others.append(cluster)
        self.clusters = [*others, joined]

    def merged(self) -> list[MergedRun]:
        """Return the runs."""
        return [merge(cluster) for cluster in self.clusters]


def _of_one_run(unit: Unit, other: Unit) -> bool:
    """Tell whether two units are of one run: by their steps, or by the order of their values."""
    if related(unit, other):
        return True
    return in_steps_of(unit, other.series) is not None or in_steps_of(other, unit.series) is not None


def _is_stepless(unit: Unit) -> bool:
    return bool(unit.series) and not any(has_steps(series) for series in unit.series.values() if len(series))


def merge(units: Sequence[Unit]) -> MergedRun:
    """Make one run of units that are related."""
    if len(units) == 1:
        return MergedRun(list(units), dict(units[0].series))
    ranked = sorted(units, key=lambda unit: (_is_stepless(unit), -unit.digits, unit.order, -_points(unit)))
    run = MergedRun([ranked[0]], dict(ranked[0].series))
    run.shares = {tag: [_share(ranked[0], tag, len(series))] for tag, series in run.series.items()}
    for unit in ranked[1:]:
        run.units.append(unit)
        for tag, series in _placed(unit, run).series.items():
            _take_in(run, unit, tag, series)
    return run


def _placed(unit: Unit, run: MergedRun) -> Unit:
    """Return a unit in the steps of the run: as it is if its longest telling series agrees with the run's as it is."""
    telling = [series for tag, series in unit.series.items() if is_telling(tag) and len(series)]
    longest = max(telling, key=len, default=None)
    if longest is not None:
        known = [series for tag, series in run.series.items() if plain_name(tag) == plain_name(longest.tag)]
        if any(compare(series, longest).is_same for series in known):
            return unit
    return in_steps_of(unit, run.series) or unit


def _points(unit: Unit) -> int:
    return sum(map(len, unit.series.values()))


def _share(unit: Unit, tag: str, points: int) -> SourceShare:
    return SourceShare(unit.label, tag, points)


def _take_in(run: MergedRun, unit: Unit, tag: str, series: Series) -> None:
    known = _counterpart(run, tag, series)
    if known is None:
        name = tag if tag not in run.series else f"{tag} [{unit.label}]"
        run.series[name] = series if name == tag else _renamed(series, name)
        run.shares[name] = [_share(unit, tag, len(series))]
        return
    before = run.series[known]
    agreement = compare(before, series)
    if agreement.contradicts and is_telling(tag):
        name = f"{tag} [{unit.label}]"
        run.series[name] = _renamed(series, name)
        run.shares[name] = [_share(unit, tag, len(series))]
        differing = agreement.common - agreement.same
        first = run.shares[known][0].source
        run.findings.append(sources_disagree.finding(first, before, unit.label, series, differing, agreement.common))
        return
    filled, added = fill_in(before, series)
    run.series[known] = filled
    run.shares[known].append(_share(unit, tag, added))


def _counterpart(run: MergedRun, tag: str, series: Series) -> str | None:
    """The tag under which the run has this series: by its numbers, else by its name alone."""
    named = [known for known in run.series if plain_name(known) == plain_name(tag)]
    same = [known for known in named if len(run.series[known]) and compare(run.series[known], series).is_same]
    if not same and is_telling(tag):
        others = [known for known in run.series if known not in named and is_telling(known)]
        same = [known for known in others[:16] if len(run.series[known]) and compare(run.series[known], series).is_same]
    if same:
        return same[0]
    exact = [known for known in named if known == tag] or named
    return exact[0] if len(exact) == 1 else None


def _renamed(series: Series, tag: str) -> Series:
    return Series(tag, series.steps, series.values, series.wall_times, series.restarts, series.step_source, series.run)


def fill_in(series: Series, other: Series) -> tuple[Series, int]:
    """Return a series with the points that only the other one has at their places, and how many those are.

    Where steps go back nobody can say between which two points another one belongs: then points behind the last step
    are taken alone.
    """
    there = set(map(int, series.steps))
    missing = [index for index, step in enumerate(map(int, other.steps)) if step not in there]
    if not _rises(series.steps) or not _rises(other.steps):
        last = max(there, default=-1)
        missing = [index for index in missing if int(other.steps[index]) > last]
    if not missing:
        return series, 0
    rows = [(int(step), 0, float(value), float(time)) for step, value, time in _points_of(series)]
    rows += [
        (int(other.steps[index]), 1, float(other.values[index]), float(other.wall_times[index])) for index in missing
    ]
    if _rises(series.steps):
        rows.sort(key=lambda row: row[:2])
    steps, values, times = array("q"), array("d"), array("d")
    for step, _, value, wall_time in rows:
        steps.append(step)
        values.append(value)
        times.append(wall_time)
    return Series(series.tag, steps, values, times, list(series.restarts), series.step_source, series.run), len(missing)


def _points_of(series: Series) -> Iterable[tuple[int, float, float]]:
    return zip(series.steps, series.values, series.wall_times, strict=True)


def _rises(steps: Sequence[int]) -> bool:
    return all(int(before) <= int(after) for before, after in pairwise(steps))
