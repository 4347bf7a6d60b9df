"""What a detector says, and when two sayings are one."""

from collections.abc import Iterable
from typing import NamedTuple

from audioloss_cli.model import Series

MERGED_WITHIN = 100  # training steps


class Alarm(NamedTuple):
    """The training step at which a detector could have spoken, the series it spoke of, and its code if it has codes."""

    step: int
    tag: str
    code: str = ""


def merged(alarms: Iterable[Alarm], cadence: int, onset: int | None = None) -> list[Alarm]:
    """The first of each stretch of one series' alarms, in the order of their steps.

    A stretch goes on while the next alarm is nearer than 100 steps, or stands at the next logged point: otherwise a
    log with a point every 100 steps would make an alarm of each point. The onset of a failure ends a stretch, so that a
    false alarm shortly before it does not swallow the right one; but what has been said at every point, and still is,
    says nothing about the failure.
    """
    kept, last = list[Alarm](), dict[str, int]()
    for alarm in sorted(alarms):
        before = last.get(alarm.tag)
        near = before is not None and alarm.step - before < max(MERGED_WITHIN, cadence + 1)
        cut = (
            onset is not None and before is not None and before < onset <= alarm.step and alarm.step - before > cadence
        )
        if cut or not near:
            kept.append(alarm)
        last[alarm.tag] = alarm.step
    return kept


def losses(run: Iterable[Series]) -> tuple[list[Series], list[Series]]:
    """The series with a loss in their name, and those beside them."""
    run = list(run)
    return [item for item in run if "loss" in item.tag], [item for item in run if "loss" not in item.tag]
