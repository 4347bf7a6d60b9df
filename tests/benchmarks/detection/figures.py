"""What is counted, and how.

A run of a healthy family has false alarms only. A run of a failure that shows in no logged point is left out. Of the
others an alarm at or after the onset, on whatever series, is a detection, and its delay is in training steps; no such
alarm is a miss. An alarm before the onset is a false one, and does not make up for a miss.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from tests.benchmarks.detection.trials import Outcome


class FalseAlarms(NamedTuple):
    """Over healthy runs: alarms, points of their loss series, runs, and runs with an alarm."""

    alarms: int
    points: int
    runs: int
    alarmed: int

    @property
    def per_million(self) -> float:
        """False alarms per million healthy points; NaN for none."""
        return 1e6 * self.alarms / self.points if self.points else float("nan")


class Detections(NamedTuple):
    """Over runs whose failure shows.

    Attributes:
        seen: runs, ``unseen`` those left out because no point shows the failure.
        missed: runs without an alarm at or after the onset.
        delay: median steps from the onset to the first such alarm, over the runs that have one; NaN if none has.
        right: runs in which one of those alarms has a code that names the fault.
        early: runs with an alarm before the onset.
        warnable: runs of gradual collapses with a logged point between the onset and the first step below 0.01.
        warned: those of them with an alarm in between.
    """

    seen: int
    unseen: int
    missed: int
    delay: float
    right: int
    early: int
    warnable: int
    warned: int


def false_alarms(outcomes: Iterable[Outcome]) -> FalseAlarms:
    """Of the healthy runs among them."""
    healthy = [outcome for outcome in outcomes if not outcome.faults]
    return FalseAlarms(
        sum(len(outcome.alarms) for outcome in healthy),
        sum(outcome.points for outcome in healthy),
        len(healthy),
        sum(bool(outcome.alarms) for outcome in healthy),
    )


def detections(outcomes: Iterable[Outcome]) -> Detections:
    """Of the failing runs among them."""
    failing = [outcome for outcome in outcomes if outcome.faults]
    seen = [outcome for outcome in failing if outcome.onset is not None]
    delays = [delay for outcome in seen if (delay := delay_of(outcome)) is not None]
    warnable = [o for o in seen if o.before_001 is not None and o.onset < o.before_001]
    return Detections(
        len(seen),
        len(failing) - len(seen),
        len(seen) - len(delays),
        float(median(delays)) if delays else float("nan"),
        sum(any(alarm.step >= o.onset and alarm.code in o.faults for alarm in o.alarms) for o in seen),
        sum(any(alarm.step < o.onset for alarm in o.alarms) for o in seen),
        len(warnable),
        sum(any(o.onset <= alarm.step < o.before_001 for alarm in o.alarms) for o in warnable),
    )


def delay_of(outcome: Outcome) -> int | None:
    """Steps from the onset to the first alarm at or after it; None for a miss, or where nothing shows."""
    if outcome.onset is None:
        return None
    return min((alarm.step - outcome.onset for alarm in outcome.alarms if alarm.step >= outcome.onset), default=None)


def microseconds(outcomes: Sequence[Outcome]) -> float:
    """A point of a loss series, over all runs."""
    points = sum(outcome.points for outcome in outcomes)
    return 1e6 * sum(outcome.seconds for outcome in outcomes) / points if points else float("nan")
