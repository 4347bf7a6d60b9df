"""Which rules of a group are asked, at which values none of them can hold, and what they say of a point."""

import math

from audioloss_cli.model import InactiveRange, Incident, Point
from audioloss_cli.model.rule import Kind
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.points import MANY_REPEATS
from audioloss_cli.monitor.ruleset import CodedRule, RuleGroup


class AskedRules:
    """The rules of one group, and what they said of the last point.

    Attributes:
        rules: by rank.
        relative: whether one of them depends on what is usual.
        awake: those that are asked now and have no inactive range.
        intervals: inactive ranges of the others that are asked.
        inactive: all of them together.
        open: the incident that they share, if there is one.
        closed: those before.
    """

    open: Incident | None
    closed: list[Incident]
    _since: dict[str, tuple[int, int]]  # rule code -> step since which it holds, points it held at
    _now: int  # step of the current point
    _held: list[CodedRule]  # rules that hold at it
    _speaks_against: bool  # it is evidence that none of them holds
    _points: int  # points looked at since the incident opened

    def __init__(self, group: RuleGroup) -> None:
        _, self.rules, self._codes, self.relative, self._counts_repeats = group
        self._reference: float | None = None  # see ``_lies_within``
        self._level: float | None = None
        self._low, self._high = 0.0, 0.0
        self._ask([])  # until it is settled

    @property
    def firing(self) -> bool:
        """Whether the open incident fires."""
        return self.open is not None and self.open.state == "firing"

    def settle(self, history: SeriesHistory) -> bool:
        """Say anew which rules are asked, and at which values none of them can hold.

        It is due when what is usual has changed, when an alert was raised, and when a state was loaded.

        Returns:
            Whether other rules are awake now than before.
        """
        kind = history.kind
        rules = [coded for coded in self.rules if kind in coded.rule.kinds and not self._is_inactive(coded, history)]
        changed = rules != self._rules
        if changed:
            self._ask(rules)
        self._denies_numbers, self._denies_all = self._denials()
        self._level = math.nan  # the interval is found when it is next asked for
        return changed

    def _ask(self, rules: list[CodedRule]) -> None:
        self._rules = rules  # those that are not asleep
        self._silent = [coded for coded in self.rules if coded not in rules] if len(rules) < len(self.rules) else []
        self.awake = [coded for coded in rules if coded.rule.inactive is None]  # those that no interval describes
        self.intervals = [each for coded in rules for each in coded.rule.inactive or ()]  # where the others cannot hold
        self.inactive = InactiveRange.all_of(self.intervals)  # all of them together
        self._asks_of_no_number = not all([coded.rule.numbers_only for coded in rules])  # noqa: C419  # few rules

    def _denials(self) -> tuple[bool, bool]:
        """Whether a rule that is not asked speaks against trouble at every finite value, and at every value.

        A rule that sleeps, or that is not for this kind of series, cannot hold from here on. It need not be asked to
        say so, but it must count as having said so, or what it opened would never close.
        """
        if not self._silent:
            return False, False
        silent = [coded.rule for coded in self._silent if not self._is_said(coded)]
        return bool(silent), not all(rule.numbers_only for rule in silent)

    @property
    def _denied(self) -> bool:
        """Whether something speaks against the open incident at every finite value, though it is not asked.

        That is a rule that cannot hold; or the incident was opened, before a state was loaded, by a rule that is not
        chosen any more.
        """
        return self._denies_numbers or (self.open is not None and self.open.code not in self._codes)

    def has_turned_inactive(self, history: SeriesHistory) -> bool:
        """Whether a rule that was awake when it was last settled has fallen asleep since."""
        return any(self._is_inactive(coded, history) for coded in self.awake)

    def _is_inactive(self, coded: CodedRule, history: SeriesHistory) -> bool:
        rule = coded.rule
        if rule.once and self._is_said(coded):
            return True
        return coded.code not in self._since and rule.is_inactive(history)

    def _is_said(self, coded: CodedRule) -> bool:
        """Whether it is a rule that is said once, and it was: in this segment or in an earlier one."""
        return coded.rule.once and (self.firing or bool(self.closed))

    @property
    def idle(self) -> bool:
        """Whether nothing is open but what has been said for good."""
        return self.open is None or (self.firing and not self._rules and not self._denied)

    def freezes(self, kind: Kind) -> bool:
        """Whether what is open keeps values from having their part in what is usual.

        A series that may be small by nature is not broken because it is low: what follows may be held against that.
        """
        if self.idle or not self.relative:
            return False
        code = "" if self.open is None else self.open.code
        low = kind != "ce" and any(coded.code == code and coded.rule.may_be_usual for coded in self.rules)
        return not low

    @property
    def attentive(self) -> bool:
        """Whether it is asked at every point: something is open, or a rule is awake that no interval describes."""
        return bool(self.awake) or not self.idle

    @property
    def minds_repeats(self) -> bool:
        """Whether it is asked where a value is repeated, though the value lies where no rule can hold."""
        return self._counts_repeats or self.open is not None

    @property
    def minds_no_number(self) -> bool:
        """Whether it is asked where a value is not finite, though none that is awake is."""
        return self.open is not None or self._asks_of_no_number

    def is_inactive_at(self, value: float, history: SeriesHistory) -> bool:
        """Whether it is not attentive and no rule can hold at this value: nothing is to be done at such a point."""
        if self.attentive:
            return False
        return self._lies_within(value, history)

    def _lies_within(self, value: float, history: SeriesHistory) -> bool:
        """Whether no rule that has an interval can hold at this value, unless it is repeated."""
        if self._reference is not history.reference or self._level is not history.level:
            self._reference, self._level = history.reference, history.level
            self._low, self._high = self.inactive.interval(history.reference, history.level, history.start)
        return self._low <= value < self._high

    def look(self, point: Point, history: SeriesHistory) -> bool:
        """Ask every rule about the point; whether there is anything to ``advance``.

        Steps must not go back (see ``end``).
        """
        step = self._now = point.step
        self._points += self.open is not None
        held: list[CodedRule] = []
        since = self._since
        against = self.open is not None and (self._denies_all or (self._denied and math.isfinite(point.value)))
        for coded in self._rules if since or self.open is not None else self._to_ask(point.value, history):
            rule, code = coded.rule, coded.code
            verdict = rule.holds(point, history)
            if verdict is None:
                continue
            before = since.get(code)
            # A rule that held may not be over yet, though it does not hold at this point.
            if verdict or (before is not None and not rule.clears(point, history)):
                since[code] = (step, 1) if before is None else (before[0], before[1] + 1)
                held.append(coded)
            else:
                since.pop(code, None)
                against = True
        self._held = held
        self._speaks_against = against and not held
        return self.open is not None or bool(held)

    def _to_ask(self, value: float, history: SeriesHistory) -> list[CodedRule]:
        """The rules that may hold while nothing is open: within the interval of the others, those without one."""
        usual = history.repeats < MANY_REPEATS and self._lies_within(value, history)
        return self.awake if usual else self._rules
