"""Points at which every rule says what it said at the last one, and nothing fires yet.

A loss that starts at chance keeps a rule waiting for 2000 steps, and that it fell early is asked for 1000. Between two
turns of the baseline such rules know at which values they hold and at which they do not (``LossRule.span``). At a value
at which the same ones hold again, and no others, nothing changes but counts.
"""

import sys
from collections.abc import Sequence

from audioloss_cli.model import LossRule, Point
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.lifecycle.group import Group
from audioloss_cli.monitor.lifecycle.recovery import RecoveryLog
from audioloss_cli.monitor.ruleset import CodedRule

# Points of the last block: an unchanged range lasts a block at most, and finding one costs what it saves at two points.
_WORTH = 8
_MOST, _LONG = sys.float_info.max, 1 << 62


class UnchangedRange:
    """What holds until the baseline turns, or the machine settles.

    Attributes:
        sure: whether what was found is in force; unset it wherever a point was examined.
    """

    def __init__(self, groups: Sequence[Group], history: SeriesHistory, recovery: RecoveryLog) -> None:
        self._groups, self._past, self._recovery = groups, history, recovery
        self._waiting: list[tuple[Group, list[CodedRule]]] = []  # and the rules that hold
        self._asked: list[LossRule] = []  # for want of a span
        self._low, self._high, self._until = -_MOST, _MOST, _LONG
        self.renew()

    def renew(self) -> None:
        """What is usual, or who is awake, has changed: look anew at the next point."""
        self.sure, self._found, self._over = False, False, False

    def end(self) -> None:
        """Something has opened or closed: for the few points that are left it is not worth to look anew."""
        self.sure, self._over = False, True

    def takes(self, point: Point) -> bool:
        """At a value at which every rule with inactive values rests: whether only counts change, and change them."""
        if not self.sure and (self._over or not self._is_in_force()):
            return False
        if not self._low <= point.value < self._high or point.step >= self._until or self._recovery.running:
            return False
        history = self._past
        for rule in self._asked:
            if rule.holds(point, history):
                return False
        for group, _ in self._waiting:
            group.wait(point)
        return True

    def _is_in_force(self) -> bool:
        """Whether the rules that held when it was found held at the last point, too."""
        if not self._found:
            self._found = self._is_worth_it() and self._find()
            self._over = not self._found
        self.sure = self._found and all(group.holds_just(held) for group, held in self._waiting)
        return self.sure

    def _is_worth_it(self) -> bool:
        blocks = self._past.baseline.blocks
        return bool(blocks) and blocks[-1].points >= _WORTH

    def _find(self) -> bool:
        """Say at which values, and up to which step, the same rules hold as do now; whether that can be said."""
        open_groups = [group for group in self._groups if not group.idle]
        if any(group.relative or not group.waits_for for group in open_groups):
            return False
        self._waiting = [(group, group.waits_for) for group in open_groups]
        self._until = min([group.ready_from for group in open_groups], default=_LONG)
        self._asked, self._low, self._high = [], -_MOST, _MOST
        waiting = [coded for _, held in self._waiting for coded in held]
        awake = [coded for group in self._groups for coded in group.awake]
        return all(self._narrow(coded, holding=True) for coded in waiting) and all(
            coded in waiting or self._narrow(coded, holding=False) for coded in awake
        )

    def _narrow(self, coded: CodedRule, *, holding: bool) -> bool:
        """To values at which this rule holds, or does not; one that cannot say where it does not is asked there."""
        span = coded.rule.span(self._past, holding=holding)
        if span is not None:
            self._low, self._high = max(self._low, span[0]), min(self._high, span[1])
        elif not holding:
            self._asked.append(coded.rule)
        return span is not None or not holding
