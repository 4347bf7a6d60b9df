"""One simulated run: the family's sketch as it would stand in a log, and what is true about it."""

from dataclasses import dataclass

import numpy as np

from audioloss_cli.model import Series
from tests.simulator.curves import first_below
from tests.simulator.family import FAMILIES, Sketch
from tests.simulator.stage import Flags, Stage, Values


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """What was logged, and what a perfect monitor would say of it.

    Attributes:
        cadence: training steps between two points.
        noise: standard deviation of the logarithm of the loss.
        series: by tag; numpy int64 steps and float64 values that float32 can hold, as event files do.
        audited: the main tag.
        onset: first logged step that differs from the same run without its failure; None for a healthy run, and for a
            failure of which no logged point shows anything.
        before_001: first step, logged or not, at which the loss without noise lies below 0.01 nats a codebook; None
            unless the loss gets there gradually, with two logged points below 1 nat on the way, and one above it.
        faults: codes of which any one names the fault rightly.
        visible: whether the failure can be seen in the log at all; False for a healthy run.
        kind: what the user would declare the series to be; None lets the monitor guess.
    """

    family: str
    seed: int
    cadence: int
    noise: float
    series: dict[str, Series]
    audited: str
    onset: int | None = None
    before_001: int | None = None
    faults: tuple[str, ...] = ()
    visible: bool = False
    kind: str | None = None


def simulate(family: str, seed: int, cadence: int, noise: float) -> SimulatedRun:
    """One run of a family.

    Args:
        family: a key of ``FAMILIES``.
        seed: not negative.
        cadence: training steps between two points; sparse logs cover more steps.
        noise: standard deviation of the logarithm of the loss; 0.02 is a large batch, 0.15 a small one.
    """
    stage = Stage.open(family, seed, cadence, noise)
    sketch = FAMILIES[family].draw(stage)
    onset = None if FAMILIES[family].is_healthy else _onset(stage, sketch, FAMILIES[family].least_points)
    return SimulatedRun(
        family,
        seed,
        cadence,
        noise,
        _series(stage, sketch),
        sketch.audited or next(iter(sketch.healthy)),
        onset,
        None if onset is None or not _is_gradual(stage, sketch) else first_below(sketch.true, 0.01, stage.last),
        FAMILIES[family].faults,
        visible=onset is not None,
    )


def _is_gradual(stage: Stage, sketch: Sketch) -> bool:
    if sketch.true is None:
        return False
    true = sketch.true(stage.steps)
    return bool(np.any(true >= 1)) and int(np.sum((true < 1) & (true >= 0.01))) >= 2


def _series(stage: Stage, sketch: Sketch) -> dict[str, Series]:
    found = {}
    for tag, values in (sketch.healthy | sketch.failed).items():
        kept = ~sketch.absent.get(tag, np.zeros(len(values), dtype=bool))
        steps = stage.steps if sketch.steps is None else sketch.steps
        found[tag] = Series(tag, steps[kept], _as_logged(values)[kept], np.full(int(kept.sum()), np.nan))
    return found


def _onset(stage: Stage, sketch: Sketch, least: int) -> int | None:
    changed = [_differ(sketch.healthy[tag], values) for tag, values in sketch.failed.items()]
    shown = np.flatnonzero(np.any([*changed, *sketch.absent.values()], axis=0)) if changed or sketch.absent else ()
    counted = next((each for each in (sketch.counted, sketch.steps) if each is not None), stage.steps)
    return int(counted[shown[0]]) if len(shown) >= least else None


def _differ(one: Values, other: Values) -> Flags:
    """Bit by bit: a missing value is another NaN than a NaN."""
    return _as_logged(one).view(np.int64) != _as_logged(other).view(np.int64)


def _as_logged(values: Values) -> Values:
    """Rounded to float32; what is no number keeps its bits."""
    finite = np.isfinite(values)
    rounded = values.copy()
    rounded[finite] = values[finite].astype(np.float32)
    return rounded
