"""The figures as Markdown tables."""

from collections.abc import Callable, Iterable, Sequence

from tests.benchmarks.detection.figures import delay_of, detections, false_alarms, microseconds
from tests.benchmarks.detection.trials import Outcome
from tests.benchmarks.markdown import table
from tests.simulator import FAMILIES

Cell = Callable[[Sequence[Outcome]], str]


def summary(outcomes: Sequence[Outcome], names: Sequence[str]) -> str:
    """One line a detector, over everything."""
    header = ["detector", "false alarms", "per 1M healthy points", "healthy runs alarmed", "missed", "median delay"]
    rows = [_line(name, [outcome for outcome in outcomes if outcome.detector == name]) for name in names]
    return table([*header, "right code", "alarm before onset", "us a point"], rows)


def _line(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    false, found = false_alarms(outcomes), detections(o for o in outcomes if FAMILIES[o.family].detectable)
    return [
        *(name, f"{false.alarms}", f"{false.per_million:.1f}", _share(false.alarmed, false.runs)),
        *(_share(found.missed, found.seen), f"{found.delay:.0f}", _share(found.right, found.seen)),
        *(_share(found.early, found.seen), f"{microseconds(outcomes):.1f}"),
    ]


def by(attribute: str, outcomes: Iterable[Outcome], names: Sequence[str], cell: Cell) -> str:
    """One row for each value of an attribute of the outcomes, one column a detector; rows without a figure go."""
    groups: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        row = groups.setdefault(str(getattr(outcome, attribute)), {name: [] for name in names})
        row[outcome.detector].append(outcome)
    rows = [[_marked(key), *(cell(group[name]) for name in names)] for key, group in groups.items()]
    return table([attribute, *names], [row for row in rows if any(row[1:])])


def missed_and_delay(outcomes: Sequence[Outcome]) -> str:
    """Share of misses, and the median delay of the others in steps."""
    found = detections(outcomes)
    if not found.seen:
        return ""
    delay = "" if found.missed == found.seen else f" {found.delay:.0f}"
    return f"{_share(found.missed, found.seen)}{delay}"


def right_code(outcomes: Sequence[Outcome]) -> str:
    """Share of runs in which a right code was among the alarms."""
    found = detections(outcomes)
    return _share(found.right, found.seen) if found.seen else ""


def warned(outcomes: Sequence[Outcome]) -> str:
    """Share of runs with an alarm before the loss is below 0.01."""
    found = detections(outcomes)
    return _share(found.warned, found.warnable) if found.warnable else ""


def alarms_per_million(outcomes: Sequence[Outcome]) -> str:
    """False alarms per million healthy points."""
    found = false_alarms(outcomes)
    return f"{found.per_million:.1f}" if found.points else ""


def listed(outcomes: Iterable[Outcome]) -> Iterable[str]:
    """Each false alarm and each miss, to look at one by one: ``simulate`` takes what stands there."""
    for outcome in outcomes:
        which = f"{outcome.detector}: {outcome.family!r}, {outcome.seed}, {outcome.cadence}, {outcome.noise}"
        if outcome.faults and outcome.onset is not None and delay_of(outcome) is None:
            yield f"missed  {which}: from step {outcome.onset} on"
        for alarm in outcome.alarms:
            if not outcome.faults or (outcome.onset is not None and alarm.step < outcome.onset):
                yield f"false   {which}: {alarm.code or 'alarm'} on {alarm.tag} at step {alarm.step}"


def _marked(key: str) -> str:
    return f"{key} *" if key in FAMILIES and not FAMILIES[key].detectable else key


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
