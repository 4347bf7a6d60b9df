"""The figures as Markdown tables."""

from collections.abc import Iterable, Sequence

from tests.benchmarks.markdown import table
from tests.benchmarks.reading.measure import Result
from tests.benchmarks.reading.works import Target, Work

_HEADER = ["", "seconds", "CPU s", "peak MB", "points", "times ours", "times ours, CPU"]


def of_work(work: Work, results: Sequence[Result]) -> str:
    """One row a contender; ratios are to the first of ours that has a figure, the work's own."""
    ours = next((result for result in results if result.contender.ours and result.measured), None)
    heading = f"## {work.name}: {work.title.format(size=f'{results[0].whole:,}')}"
    failures = "".join(f"\n{one.contender.name} {one.failure}\n" for one in results if one.failure)
    return f"{heading}\n\n{table(_HEADER, (_row(result, ours) for result in results))}{failures}"


def of_targets(outcomes: Iterable[tuple[Work, Sequence[Result]]]) -> str:
    """One row a target of each work."""
    header = ["work", "of", "against", "target", "reached", "met", "by CPU seconds"]
    return table(header, [_target(work, target, results) for work, results in outcomes for target in work.targets])


def _row(result: Result, ours: Result | None) -> list[str]:
    name = result.contender.name
    if result.failure:
        return [name, result.failure.split(":")[0], *[""] * 5]
    if result.size != result.whole:
        name += f" (over {result.size:,} points, times {result.whole / result.size:g})"
    points = result.runs[-1].points
    cells = [name, _seconds(result), _digits(result.middle("cpu")), f"{result.middle('peak_mb'):.0f}"]
    cells.append("" if points is None else f"{points:,}")
    return [*cells, *(_times(result, ours, figure) for figure in ("seconds", "cpu"))]


def _seconds(result: Result) -> str:
    """Median, least and greatest."""
    every = result.seconds()
    spread = f" ({_digits(min(every))} to {_digits(max(every))})" if len(every) > 1 else " (once)"
    return _digits(result.middle("seconds")) + spread


def _times(result: Result, ours: Result | None, figure: str) -> str:
    if ours is None or not ours.middle(figure):
        return ""
    return f"{_figure(_ratio(ours, result, figure))}x"


def _target(work: Work, target: Target, results: Sequence[Result]) -> list[str]:
    by_name = {result.contender.name: result for result in results if result.measured}
    sign = "at least" if target.kind.startswith("times") else "at most"
    cells = [work.name, target.of, target.against, f"{sign} {target.bound:g} {target.kind}"]
    of, against = by_name.get(target.of), by_name.get(target.against)
    if of is None or (against is None and target.against):
        return [*cells, "not measured", "", ""]
    value = reached(target, of, against)
    met = value >= target.bound if sign == "at least" else value <= target.bound
    by_cpu = "" if against is None else _figure(reached(target, of, against, "cpu"))
    return [*cells, _figure(value), "yes" if met else "no", by_cpu]


def reached(target: Target, of: Result, against: Result | None, figure: str = "seconds") -> float:
    """The figure that the target bounds, from ``seconds`` or ``cpu``."""
    if against is None:
        return of.middle("peak_mb")
    if target.kind == "ms above":
        return 1e3 * (of.middle(figure) - against.middle(figure))
    return _ratio(of, against, "cpu" if target.kind == "times per CPU second" else figure)


def _ratio(of: Result, against: Result, figure: str) -> float:
    return against.middle(figure) / of.middle(figure)


def _figure(number: float) -> str:
    """Three digits, and no exponent."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _digits(number: float) -> str:
    """Seconds to the millisecond, less finely where they are many."""
    return f"{number:.0f}" if number >= 100 else f"{number:.{2 if number >= 1 else 3}f}"
