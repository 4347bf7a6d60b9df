"""What an incident that fires comes to over many points at which it is known what its rules say.

How long each rule has held, who speaks, when a window is healthy: counted over arrays.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, by the machine, for long series only

from audioloss_cli.monitor.lifecycle.group import Group
from audioloss_cli.monitor.ruleset import CodedRule


class Held(NamedTuple):
    """At which points a rule holds, how long it has then held, and whether it speaks against trouble elsewhere.

    Attributes:
        coded: the rule.
        holds: bool [points].
        since, points: int64 [points], the step since which it holds and the points at which it held; where it holds.
        against: whether it speaks against trouble where it does not hold.
    """

    coded: CodedRule
    holds: Any
    since: Any
    points: Any
    against: bool

    @property
    def waited(self) -> Any:
        """Where it has held for long enough, bool [points], given the steps in ``since``'s place."""
        return self.holds & (self.points >= self.coded.rule.for_points)


class Course:
    """What a firing incident comes to over points whose verdicts are known.

    Attributes:
        rules: what each rule says.
        bad, good: bool [points], where a rule holds, and where none does and one speaks against trouble.
        healthy_points: int64 [points], good points since the last bad one.
        count: points up to the first at which something else than a reminder may happen.
    """

    def __init__(self, group: Group, rules: Sequence[Held], steps: Any) -> None:
        self.rules, self._steps, self._group = rules, steps, group
        self.bad = np.any([held.holds for held in rules], axis=0)
        against = np.any([~held.holds & held.against for held in rules], axis=0) | group.denied
        self.good = against & ~self.bad
        self._places = np.arange(len(steps))
        self._count_healthy()
        self._choose_speakers()
        self.count = self._first_event()

    def _count_healthy(self) -> None:
        point, carried = self._group.healthy
        last_bad = np.maximum.accumulate(np.where(self.bad, self._places, -1))
        counted = np.cumsum(self.good)
        base = np.where(last_bad >= 0, counted[last_bad], -carried)
        self.healthy_points = counted - base
        first = np.maximum.accumulate(np.where(self.good & (self.healthy_points == 1), self._places, -1))
        self._first_good = np.where(first > last_bad, first, -1)
        began = np.where(self._first_good >= 0, self._steps[self._first_good], point.step if point else 0)
        enough = self._steps - began + 1 >= self._group.window
        self._closes = self.good & enough & (self.healthy_points >= self._group.points_of_a_window)

    def _choose_speakers(self) -> None:
        """The gravest rule that holds and has waited at each point, -1 for none; rules are ordered by rank."""
        self._speakers = np.full(len(self._steps), -1)
        for number, held in enumerate(self.rules):
            waited = self._steps - held.since >= held.coded.wait
            self._speakers[held.waited & waited] = number

    def _first_event(self) -> int:
        graver = [held.coded.rank > self._group.speaker_rank for held in self.rules]
        escalates = np.append(graver, False)[self._speakers]
        events = (self._closes if self._group.flaps else self.good) | escalates
        return int(np.argmax(events)) if events.any() else len(events)

    def reminders(self, count: int) -> list[int]:
        """Places of the reminders among the first ``count`` points."""
        ready = np.flatnonzero(self._speakers[:count] >= 0)
        steps, last, found, at = self._steps[ready], self._group.last_alert, list[int](), 0
        while (at := int(np.searchsorted(steps, last + self._group.window))) < len(ready):
            found.append(int(ready[at]))
            last = int(steps[at])
        return found

    def speaker(self, place: int) -> Held:
        """Who speaks there."""
        return self.rules[int(self._speakers[place])]

    def since(self, held: Held, place: int) -> tuple[int, int]:
        """Since which step a rule holds that holds there, and at how many points it held."""
        return int(held.since[place]), int(held.points[place])

    def came_back(self, count: int) -> int:
        """How often a rule was ready to speak again after a healthy point, among the first ``count``."""
        point, carried = self._group.healthy
        before = np.concatenate([[carried if point else 0], self.healthy_points[:-1]])
        return int(np.count_nonzero((self.bad & (before > 0) & (self._speakers >= 0))[:count]))

    def healthy_from(self, count: int) -> int:
        """Place of the first good point of the stretch that ``count`` points end in; far below 0 if it is older."""
        place = int(self._first_good[count - 1]) if self.healthy_points[count - 1] else -1
        return place if place >= 0 else -(1 << 62)


def held_over(coded: CodedRule, holds: Any, against: bool, group: Group, steps: Any) -> Held:
    """With how long it has held: since the first of each run, or since what the group knows."""
    places = np.arange(len(holds))
    begin, points = group.since(coded)
    starts = holds & ~np.concatenate([[points > 0], holds[:-1]])
    first = np.maximum.accumulate(np.where(starts, places, -1))
    since = np.where(first >= 0, steps[first], begin)
    return Held(coded, holds, since, np.where(first >= 0, places - first + 1, points + places + 1), against)
