"""All that a log holds about one incident: its shape, and what the rest of the run did meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from audioloss_cli.causes import _names
from audioloss_cli.causes._measure import shape_of
from audioloss_cli.causes._shape import Shape
from audioloss_cli.causes._track import Track
from audioloss_cli.model import Incident, Series
from audioloss_cli.model.series_report import AuditedSeries

_LATEST = 5  # points that say where a sibling has got to


@dataclass(frozen=True)
class Company:
    """The series of a run by their tags, audited or not; shared by all incidents of the run."""

    run: Mapping[str, Series]

    def find(self, wanted: Callable[[str], bool]) -> list[Track]:
        """The series whose tag is wanted, in the order of the log."""
        return [self.track(tag) for tag in self.run if wanted(tag)]

    def track(self, tag: str) -> Track:
        """The series of that tag in the order of its steps."""
        if tag not in self._tracks:
            self._tracks[tag] = Track.of(self.run[tag])
        return self._tracks[tag]

    @cached_property
    def _tracks(self) -> dict[str, Track]:
        return {}


@dataclass(frozen=True, eq=False)
class Scene:
    """One incident, its series, and the other series of the run.

    Attributes:
        incident: what is to be explained.
        item: its series, with the limits that were applied.
        company: all series of the run.
    """

    incident: Incident
    item: AuditedSeries
    company: Company

    @cached_property
    def shape(self) -> Shape:
        """The shape of the incident."""
        return shape_of(self.item, self.incident)

    @property
    def tag(self) -> str:
        """Of the series that the incident is in."""
        return self.item.series.tag

    @property
    def track(self) -> Track:
        """Every point of the series that the incident is in."""
        return self.company.track(self.tag)

    @property
    def held_out(self) -> bool:
        """Whether the incident itself is in a held-out series."""
        return _names.is_held_out(self.tag)

    @property
    def in_steps(self) -> bool:
        """Whether steps are steps of the training: neither epochs nor lines of the log."""
        return self.item.series.step_source == "step"

    @property
    def span(self) -> tuple[int, int]:
        """First and last step of the incident."""
        return self.shape.first_step, max(self.incident.last_step, self.shape.first_step)

    def beside(self, wanted: Callable[[str], bool]) -> Track | None:
        """Another series of the run that was logged during the incident; None if there is none."""
        tracks = self.company.find(
            lambda tag: tag != self.tag and wanted(tag) and _names.is_held_out(tag) is self.held_out
        )
        return next((track for track in tracks if track.logged(*self.span)), None)

    def alike(self, wanted: Callable[[str], bool]) -> Track | None:
        """The first such series of the run, held out if the incident's series is; it may be that series itself."""
        return next(iter(self.company.find(lambda tag: wanted(tag) and _names.is_held_out(tag) is self.held_out)), None)

    @cached_property
    def grad_norm(self) -> list[float]:
        """The norms of the gradient during the incident, as logged."""
        track = self.beside(_names.is_grad_norm)
        return track.logged(*self.span) if track else []

    @cached_property
    def codebooks(self) -> dict[int, Track]:
        """The losses of the codebooks, by number, held out or not as the incident's series is."""
        tracks = self.company.find(
            lambda tag: _names.codebook(tag) is not None and _names.is_held_out(tag) is self.held_out
        )
        return {number: track for track in tracks if (number := _names.codebook(track.tag)) is not None}

    @property
    def codebook(self) -> int | None:
        """The number of the codebook that the incident's own series is the loss of."""
        return _names.codebook(self.tag)

    @cached_property
    def codebook_levels(self) -> dict[int, float]:
        """Where each codebook has got to at the end of the incident: median of its last 5 values."""
        ends = {number: track.between(*self.span)[-_LATEST:] for number, track in self.codebooks.items()}
        return {number: sorted(values)[len(values) // 2] for number, values in sorted(ends.items()) if values}
