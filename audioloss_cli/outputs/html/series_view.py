"""A series, and what the page asks of its envelope more than once."""

from dataclasses import dataclass
from functools import cached_property

from audioloss_cli.model import SeriesReport
from audioloss_cli.model.envelope import Part
from audioloss_cli.outputs._figures import number
from audioloss_cli.outputs._verdict import plural

_UNITS = {"sample": "samples", "token": "tokens", "epoch": "epochs", "point": "points"}


@dataclass(frozen=True)
class SeriesView:
    """One series of a run."""

    item: SeriesReport

    @property
    def tag(self) -> str:
        """Its name, as logged."""
        return self.item.tag

    @property
    def rank(self) -> int:
        """Of its worst incident; -1 if it has none."""
        return max((incident.severity.rank for incident in self.item.incidents), default=-1)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Of its envelope."""
        return self.item.envelope.parts

    @cached_property
    def points(self) -> int:
        """Number of points."""
        return sum(part.points for part in self.parts)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step."""
        return min(part.first_step for part in self.parts), max(part.last_step for part in self.parts)

    @cached_property
    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest finite value; None if no value is finite."""
        known = [part for part in self.parts if part.finite]
        return (min(part.low for part in known), max(part.high for part in known)) if known else None

    @cached_property
    def extent(self) -> str:
        """How many points it has, and from which step to which."""
        first, last = self.span
        text = f"{plural(self.points, 'point')}, {_UNITS.get(self.item.axis.unit, 'steps')} {first:,} to {last:,}"
        restarts = len(self.item.segment_starts) - 1
        text += f", {plural(restarts, 'restart')}" if restarts else ""
        return text + (", sorted: the log is out of order" if self.item.reordered else "")

    @property
    def alternative(self) -> str:
        """What its curve shows, for those who do not see it."""
        means = [part.mean for part in self.parts if part.finite]
        if self.extremes is None:
            return f"Curve of {self.tag}: {self.extent}; no value is finite"
        text = f"Curve of {self.tag}: {self.extent}; begins at {number(means[0])}, ends at {number(means[-1])}, "
        text += f"lowest {number(self.extremes[0])}, highest {number(self.extremes[1])}"
        incidents = len(self.item.incidents)
        return text + (f"; {plural(incidents, 'incident')}" if incidents else "")
