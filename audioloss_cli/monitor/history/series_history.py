"""What the rules may know of a series so far."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from audioloss_cli.model import MISSING, Limits, Point
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.median import median
from audioloss_cli.model.point import GRAD_NORM, LEARNING_RATE
from audioloss_cli.model.rule import Kind
from audioloss_cli.monitor.history.baseline import COMPANY, FEW, LEAST_BLOCKS, MANY, USUAL, Baseline
from audioloss_cli.monitor.history.kind import KindGuess
from audioloss_cli.monitor.history.recurrence import Recurrence
from audioloss_cli.monitor.history.window import Window
from audioloss_cli.monitor.points import plain_point, restored_point
from audioloss_cli.naming.chance import USUAL_CHANCES, ChanceTable

_LEAST_POINTS = 128
_START_POINTS = 5
STRIDE_POINTS = 10
_FEW = 3
_NOISY, _NOISY_YOUNG = 1 / 3, 1 / 4  # share of the level; and while a few points are all that it was measured by


class SeriesHistory:
    """See ``audioloss_cli.model.rule.SeriesHistory``.

    Attributes:
        window: the last points.
        baseline: the usual level.
        guess: the kind of the series.
        chances: what guessing costs.
        first: the first finite values, until there are 5.
        begin: step of the first point of the segment.
        longest_gap: how far apart two points of the segment lay at most, in what the axis counts.
        stepped: whether what stands beside a point said that a step was taken there.
    """

    def __init__(
        self,
        limits: Limits,
        kind: Kind | None,
        reason: str,
        chances: ChanceTable = USUAL_CHANCES,
        axis: TimeAxis = STEPS,
    ) -> None:
        size = limits.window_size
        self.chances = chances
        self.window = Window(size, max(size, _LEAST_POINTS), axis.span_of(size))
        self.axis = axis
        self.baseline = Baseline(axis.per_update)
        self.guess = KindGuess(limits, kind, reason, axis)
        self.names: frozenset[str] = frozenset()
        self.first: list[float] = []
        self.start: float | None = None
        self.begin: int = 0
        self.longest_gap = 0
        self.stepped = False
        self.recurrence = Recurrence()
        self.repeats = 0
        self._last = MISSING
        self._values: deque[float] = deque(maxlen=_LEAST_POINTS)

    def take(self, point: Point) -> bool:
        """Take in a point, except for its level; whether rules may wake up or fall asleep."""
        value = point.value
        self.repeats = self.repeats + 1 if value == self._last else 1
        self._last = value
        self._values.append(value)
        kept = self.window.kept
        if kept and point.step - kept[-1].step > self.longest_gap:
            self.longest_gap = point.step - kept[-1].step
        kept.append(point)
        if not self.stepped and point.beside:
            self.stepped = takes_a_step(point.beside)
        changed = self.recurrence.see(value) and self.recurrence.times > 1
        changed = (self.guess.open and self.guess.see(point.step, value)) or changed
        if point.beside and not point.beside.keys() <= self.names:
            self.names = self.names.union(point.beside)
            changed = True
        if self.start is None and value - value == 0:  # finite
            self._begin(value)
            changed = changed or self.start is not None
        return changed

    def _begin(self, value: float) -> None:
        self.first.append(value)
        if len(self.first) == _START_POINTS:
            self.start = median(self.first)

    def fold(self, step: int, value: float) -> None:
        """Let the current value, a finite one, have its part in what is usual."""
        level = self.baseline.level
        kind = self.guess.kind
        if level is not None and kind != "signed":
            # What may be small by nature may be learnt as fast as a collapse comes: all that it falls to is usual.
            least, most = USUAL[0] * level if kind == "ce" else 0.0, USUAL[1] * level
            if value < least and sum(each < least for each in self.last(COMPANY)) >= FEW:
                return
            # What is high now and then is usual: a level without the upper part of its noise would sink ever lower.
            if value >= most and min(self.last(MANY)) >= most:
                return
        self.baseline.fold(step, value)

    def note_gaps(self, steps: Any) -> None:
        """Take note of how far apart points lie, int64 [points], the last one that is remembered in front."""
        if len(steps) > 1:
            self.longest_gap = max(self.longest_gap, int((steps[1:] - steps[:-1]).max()))

    def remember(self, points: Sequence[Point], values: Any) -> None:
        """Take in many points at which nothing could happen; their levels are known already.

        Args:
            points: the last of them, at least as many as are ``kept``, or all.
            values: float64 [points] of them all.
        """
        value, other = points[-1].value, (values != points[-1].value).nonzero()[0]
        if value != value:  # noqa: PLR0124  # NaN, which equals nothing
            self.repeats = 1
        elif len(other):
            self.repeats = len(values) - 1 - int(other[-1])
        else:
            self.repeats = len(values) + (self.repeats if value == self._last else 0)
        self._last = value
        self.recurrence.skip(values)
        self._values.extend(point.value for point in points)
        self.points.extend(points)

    def see(self, point: Point, repeats: int) -> None:
        """Stand at a point, for a moment, without those between: see ``look_back``."""
        self.points.append(point)
        self.repeats = repeats

    def look_back(self, points: Sequence[Point]) -> None:
        """Have these as the last points again."""
        self.points.clear()
        self.points.extend(points)

    @property
    def kept(self) -> int:
        """How many points it remembers."""
        return self.points.maxlen or 0

    def restart(self) -> None:
        """The training was launched again; whether it was resumed, its first step says."""
        self.window.clear()
        self._values.clear()
        self.repeats, self._last = 0, MISSING
        self.recurrence = Recurrence()

    def begin_segment(self, step: int) -> None:
        """Forget what was usual if the first step of a new segment is that of a training from its start.

        One that was resumed is held against what came before at the same steps.
        """
        if not self.baseline.resume(step):
            self.first, self.start = [], None
            self.begin, self.longest_gap, self.stepped = step, 0, False

    @property
    def kind(self) -> Kind:
        """Kind of series."""
        return self.guess.kind

    @property
    def age(self) -> int:
        """Updates since the segment began."""
        return round(self.axis.updates_in(self.points[-1].step - self.begin)) if self.points else 0

    @property
    def points(self) -> "deque[Point]":
        """The last points, the current one last."""
        return self.window.kept

    @property
    def reference(self) -> float | None:
        """Usual level."""
        return self.baseline.reference

    @property
    def level(self) -> float | None:
        """Usual level of late."""
        return self.baseline.level

    @property
    def middle(self) -> float | None:
        """Usual level, whatever its sign."""
        return self.baseline.middle

    @property
    def noise(self) -> float:
        """Usual distance of neighbours, whatever the sign of the level."""
        return self.baseline.noise

    @property
    def spread(self) -> float:
        """Usual distance of neighbours."""
        return self.baseline.spread

    @property
    def earlier_level(self) -> float:
        """Usual level of some time ago."""
        return self.baseline.earlier[0]

    @property
    def earlier_spread(self) -> float:
        """Usual distance of neighbours of some time ago."""
        return self.baseline.earlier[1]

    @property
    def noisy(self) -> bool:
        """Whether a few points say nothing."""
        share = _NOISY if len(self.baseline.blocks) >= LEAST_BLOCKS else _NOISY_YOUNG
        return self.baseline.spread > share * (self.baseline.level or 0.0)

    def high(self, times: float) -> float:
        """How high the loss lay now and then, since it was below so many times its level first."""
        return self.baseline.high(times)

    def course(self) -> list[float]:
        """Levels of the whole segment, by the blocks that are kept for a resume."""
        return [block.median for block in self.baseline.trail.blocks]

    def level_before(self, step: int) -> float | None:
        """Level shortly before a step, by the blocks that are kept for a resume."""
        return self.baseline.level_before(step)

    @property
    def recurrences(self) -> int:
        """How often the beginning has come again at the same distance."""
        return self.recurrence.times

    @property
    def recurrence_period(self) -> int:
        """That distance, in points."""
        return self.recurrence.period

    @property
    def lowest(self) -> float:
        """Lowest usual level so far."""
        return self.baseline.lowest

    @property
    def stride(self) -> float:
        """Updates a point."""
        points = self.window.kept
        count = min(len(points), STRIDE_POINTS)
        return self.axis.updates_in(points[-1].step - points[-count].step) / (count - 1) if count > 1 else 0.0

    def last(self, count: int) -> list[float]:
        """The last values, oldest first."""
        values = self._values
        if count > _FEW:  # to copy all of them is faster than to walk through some
            return list(values)[-count:]
        size = len(values)
        return [values[index] for index in range(max(size - count, 0), size)]

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types."""
        return {
            "points": [plain_point(point) for point in self.points],
            "names": sorted(self.names),
            "first": list(self.first),
            "begin": self.begin,
            "longest_gap": self.longest_gap,
            "stepped": self.stepped,
            "recurrence": self.recurrence.state_dict(),
            "repeats": self.repeats,
            "kind": self.guess.state_dict(),
            "baseline": self.baseline.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.window.clear()
        self._values.clear()
        self.points.extend(map(restored_point, state["points"]))
        self._values.extend(point.value for point in self.points)
        self.names, self.first, self.repeats = frozenset(state["names"]), list(state["first"]), state["repeats"]
        self.begin, self.longest_gap = state["begin"], state.get("longest_gap", 0)
        self.stepped = state.get("stepped", False)
        self.recurrence = Recurrence()
        if "recurrence" in state:
            self.recurrence.load_state_dict(state["recurrence"])
        self.start = median(self.first) if len(self.first) == _START_POINTS else None
        self._last = self.points[-1].value if self.points else MISSING
        self.guess.load_state_dict(state["kind"])
        self.baseline.load_state_dict(state["baseline"])


def takes_a_step(beside: Mapping[str, float]) -> bool:
    """Tell whether the gradient norm, or for want of one the learning rate, says that the weights were moved."""
    norm, rate = beside.get(GRAD_NORM), beside.get(LEARNING_RATE)
    if rate == 0 or (norm is None and rate is None):
        return False
    return norm is None or (norm > 0 and math.isfinite(norm))
