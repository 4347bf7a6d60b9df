"""What a loss rule is, and what it may know of a series."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, Protocol, get_args

from audioloss_cli.model.alert import AlertType, Severity, type_of
from audioloss_cli.model.inactive_range import InactiveRange
from audioloss_cli.model.incident import Certainty
from audioloss_cli.model.limits import Limits
from audioloss_cli.model.point import Point

# A cross entropy; a loss that is small by nature; a policy loss; one that may be negative; one of which nothing tells.
Kind = Literal["ce", "small", "rl", "signed", "open"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class SeriesHistory(Protocol):
    """What a rule may know of the series so far, the current point included."""

    @property
    def kind(self) -> Kind:
        """One of ``KINDS``."""

    @property
    def chances(self) -> Any:
        """What guessing costs: a ``naming.chance.ChanceTable``."""

    @property
    def reference(self) -> float | None:
        """Usual level over the last 1000 steps; None until enough was seen, or where it is not positive."""

    @property
    def level(self) -> float | None:
        """The same where the loss does not fall; where it still does, its level over the last 75 to 300 steps."""

    @property
    def middle(self) -> float | None:
        """Usual level over the last 1000 steps, also where it is not positive; None until enough was seen."""

    @property
    def noise(self) -> float:
        """Usual distance of points for no reason, in the unit of the loss, also where the level is not positive."""

    @property
    def spread(self) -> float:
        """Usual distance of two neighbouring points over the same steps."""

    @property
    def earlier_level(self) -> float:
        """Usual level as it was 300 steps earlier, 12 points where they are sparse; as it is where no more is known."""

    @property
    def earlier_spread(self) -> float:
        """Usual distance of two neighbouring points at that time."""

    @property
    def noisy(self) -> bool:
        """Whether that distance is over a third of the level, a quarter at first, so that a few points say nothing."""

    @property
    def start(self) -> float | None:
        """Median of the first 5 finite values; None before there are 5."""

    @property
    def first(self) -> Sequence[float]:
        """The first finite values, at most 5."""

    @property
    def age(self) -> int:
        """Updates since the first point of the segment."""

    @property
    def lowest(self) -> float:
        """Lowest level of 500 steps so far, noted while a rule that ``reads_lowest`` is awake; infinite before one."""

    @property
    def repeats(self) -> int:
        """Number of identical values in a row up to the current one."""

    @property
    def stride(self) -> float:
        """Usual distance of two points in updates, over the last points."""

    @property
    def points(self) -> Sequence[Point]:
        """The last points, at least 128 of them, the current one last."""

    @property
    def stepped(self) -> bool:
        """Whether a gradient norm or a learning rate beside a point said that a step was taken there."""

    def high(self, times: float) -> float:
        """What the loss reached in 25 steps of 500, since its level was first below ``times`` what it is; 0 if unknown.

        In 25 of 250 where 25 steps have fewer than 5 points. The last 300 steps, or 12 points, are left out, as for the
        earlier level. It stays as it is as long as the reference does.
        """

    def course(self) -> Sequence[float]:
        """Levels of the whole segment, oldest first, evenly spread over it; at most 128."""

    def level_before(self, step: int) -> float | None:
        """Level shortly before a step of the segment, however long ago; None where too little is known."""

    @property
    def recurrences(self) -> int:
        """How often the first values have come again to the last digit, at the same distance."""

    @property
    def recurrence_period(self) -> int:
        """That distance, in points."""

    @property
    def longest_gap(self) -> int:
        """How far apart two points of the segment lay at most, in what the axis counts."""

    @property
    def names(self) -> AbstractSet[str]:
        """What has been logged beside the series so far."""

    def last(self, count: int) -> list[float]:
        """The last ``count`` values, the current one last; fewer if there are no more."""


class LossRule:
    """A condition on one point of a loss series. The monitor alone knows time: pending, firing, clearing, grouping.

    A rule keeps no state: what it needs to know of the series is in ``SeriesHistory``. Keyword-only parameters of
    ``__init__`` are its options, numbers above 0 that a configuration may set.

    Attributes:
        severity: of its alerts.
        group: rules of one group describe one kind of trouble and share one incident, in which the worst of them
            speaks; among equals the one that waited longer, then the more ``specific``.
        for_steps: updates for which the condition must have held, without a break, before it fires.
        for_points: points for which it must have held.
        kinds: kinds of series to which it applies.
        adaptive: it compares with the series' own past, and is left out where that is not wanted.
        once: it is said once and nothing ends it; nothing more is asked of it.
        certainty: ``certain`` if what it holds of is wrong whatever the loss is, else ``likely``.
        settled_by: what would settle it, as the end of a sentence.
        may_be_usual: of a series that may be small by nature, what it holds of may become what is usual.
        numbers_only: a value that is not finite says nothing: it need not be asked of one.
        minds_absence: it is asked where other series of the run are logged and this one is not; the point then has no
            value, and is not among those of the history.
        reads_lowest: it asks for ``SeriesHistory.lowest``, which is noted only while such a rule is awake.
        inactive: where it cannot hold, all of them together; None if any value may matter, unless it
            ``is_inactive``. One that is inactive everywhere, as by an empty tuple, is asked where a value is repeated.
            With levels, it says the same of each finite value there.
    """

    severity: Severity = Severity.WARNING
    group: str
    for_steps: int = 1
    for_points: int = 1
    specific: int = 0
    kinds: frozenset[Kind] = frozenset(KINDS)
    adaptive: bool = False
    certainty: Certainty = "likely"
    settled_by: str = "audioloss probe, on a checkpoint from before and one from these steps"
    once: bool = False
    may_be_usual: bool = False
    numbers_only: bool = False
    minds_absence: bool = False
    reads_lowest: bool = False
    inactive: tuple[InactiveRange, ...] | None = ()

    def __init__(self, limits: Limits) -> None:
        """Most rules need no limits."""

    @property
    def type(self) -> AlertType:
        """The type of its alerts, which callers compare with: that of its severity."""
        return type_of(self.severity)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether it cannot hold from here on, whatever the values, unless something new is logged beside them."""
        return False

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the condition holds at this point; None when the point says nothing about it."""
        raise NotImplementedError

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Having held, and not holding at this point, whether it is over; else it is taken to hold still."""
        return True

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """Return a boolean array of the points at which it may hold; all, if not said.

        For a rule without inactive ranges, and for one to which it matters what is logged beside the series.

        Args:
            values: numpy float64 [points].
            beside: the same for other series of the run, NaN where they have none.
            history: the series up to the first of the points.
        """
        return values == values  # noqa: PLR0124  # NaN is for other rules

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Levels that split values so that it matters only between which ones they lie; None if more matters now.

        While the reference and the spread stay as they are, once the last 128 values have all been at least one of
        these levels and below the next, ``holds`` and ``clears`` give the same at every further point of which that is
        true, whatever is logged beside it. The same for values that are all NaN, all missing, all the same infinity.
        Steps are then evenly apart. Values that begin to be repeated 10 times, or cease to be, are looked at anyhow.
        ``explain`` may use the point, the age and the repeats, and no other points, where it holds in such a stretch.
        With levels, long stretches of trouble are skipped; without, nothing but speed is lost.
        """
        return None

    def memory(self, history: SeriesHistory) -> int:
        """How many points a rule that does not hold looks at, the current one among them: 1 for its value alone.

        For a rule with ``levels``: once so many values lie between the same two of them, ``holds`` gives the same for
        the next one that does. Whether it is over may depend on 128 points, but for a rule of one. A rule that looks at
        the value alone is asked of one value between each two levels, and all others there are taken to get the same
        answer, whatever came before; its ``explain`` uses the point alone.
        """
        return 128

    def keeps(self, history: SeriesHistory) -> tuple[float, float, int] | None:
        """Values from the one up to below the other, and a number of points; None if not known.

        Once it holds, and while more than half of the last so many points, one each 1 or more steps evenly apart, have
        such values, ``clears`` is false of each finite value, whatever it is: ``holds`` need not be asked. It then says
        True or False of each, and ``explain`` uses the point alone. With levels, chronic trouble is counted by the
        array; without, nothing but speed is lost.
        """
        return None

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        """Values from the one up to below the other at which it holds, or at which it does not; None if not known.

        While kind, reference, spread, lowest, start, first and names stay as they are, and no value is repeated 10
        times, ``holds`` is true of each of these values if ``holding``, and of none of them if not, at any step,
        whatever the other points are and whatever is logged beside them. With spans, a rule without inactive ranges
        need not be asked at every point; without, nothing but speed is lost.
        """
        return None

    def worse(self, value: float, than: float) -> bool:
        """Whether ``value`` is the worse of two values at which the group held; the lower, if nothing else is said."""
        return value < than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """One sentence: what holds at this point, having held since step ``since`` at ``points`` points."""
        raise NotImplementedError
