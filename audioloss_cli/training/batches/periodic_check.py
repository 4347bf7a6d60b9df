"""A look at a batch again from time to time: a fault that comes into the data in mid-run need not show in the loss.

Labels that become masked but for a frame, or are shifted twice, leave the loss where it is, or make it fall as learning
does. All checks of inputs together cost as much as some steps, so that time, not steps, says when it is to be.
"""

import math
from collections.abc import Container, Mapping
from time import perf_counter

from audioloss_cli.model import Finding, SettingError, Severity
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches
from audioloss_cli.training.batches.text_only import absent_audio
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.transport.async_batch import AsyncBatch, far_tensors

_IN_A_ROW = 3  # looks; of one healthy batch in twenty something may be said, as of one of silence
_TIMES = 2000  # as long as looks took is waited before the next: they take 0.05 % of the training


class PeriodicCheck:
    """When to look, and what of it is to be said: what three looks in a row find, for a single batch may be odd.

    Args:
        interval: seconds from one look to the next at least; 0: at each chance, whatever it costs; None: never.
        examiner: what looks.

    Raises:
        SettingError: the interval is negative, or no number.
    """

    def __init__(self, interval: float | None, examiner: Examiner) -> None:
        if interval is not None and not interval >= 0:
            raise SettingError("look_again", f"must be a number of seconds from 0 on, or None, not {interval}")
        self._interval, self._examiner, self._ranks = interval, examiner, 1
        self.begin()

    def begin(self) -> None:
        """A training begins, with looks at its first batches."""
        self._due = math.inf if self._interval is None else perf_counter() + self._interval
        self._spent = 0.0  # seconds that looks took which no wait has followed yet
        self._suspected, self._soon = dict[str, int](), False  # by code, how often in a row; whether the last was soon
        self._late = AsyncBatch()

    def is_due(self) -> bool:
        """Whether a batch is to be looked at, or one is on its way from a device."""
        return self._late.sent is not None or perf_counter() >= self._due

    def look(self, step: int, recent: RecentBatches, told: Container[str], ranks: int = 1) -> tuple[int, list[Finding]]:
        """A step, and what is wrong with a batch of it.

        Args:
            step: the one that was closed last. What is found on a device is found at a later one.
            recent: has its batches.
            told: codes of what was said before.
            ranks: how many train together; each waits for the others while they look.
        """
        self._ranks, start = ranks, perf_counter()
        if start < self._due and self._late.sent is None:
            return step, []
        fed = self._batch(step, recent, start)
        if fed is None:
            return step, []
        found = self._found(fed, told, start)
        if found:
            recent.again(fed)
        return step if fed.step is None else fed.step, found

    def _batch(self, step: int, recent: RecentBatches, start: float) -> MicroBatch | None:
        """The last micro-batch of a step, on the host; None for none, or for one that is on its way."""
        if self._late.sent is not None:
            return self._late.take()
        if self._examiner.adapter is None or self._examiner.complaint:
            return None
        fed = next(reversed(recent.at(step)), None)
        if fed is None or fed.step != step or not isinstance(fed.clean, Mapping):
            return None
        if not far_tensors(fed):
            return fed
        try:
            self._late.send(fed)
        except Exception as error:  # noqa: BLE001  # memory that cannot be had must not end a training
            self._give_up(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        self._spent += perf_counter() - start
        if self._late.sent is None:
            self._wait(self._interval or 0.0)
        return None

    def _found(self, fed: MicroBatch, told: Container[str], start: float) -> list[Finding]:
        """What was found the last times as well."""
        examiner = self._examiner
        try:
            found = examiner.first_look(fed)
            silent = absent_audio(examiner.adapter, fed, found, doubt=True)
        except Exception as error:  # noqa: BLE001  # a door that was overridden must not end a training in mid-run
            self._give_up(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return []
        self._spent += perf_counter() - start
        if examiner.complaint:
            self._give_up(examiner.complaint)
            return []
        if silent:  # nothing is to be learnt from it: another soon
            self._wait(0.0)
            return []
        notes = [each for each in found if each.severity is Severity.INFO and each.code not in told]
        new = [each for each in found if each.severity is not Severity.INFO and each.code not in told]
        times = {each.code: self._suspected.get(each.code, 0) + 1 for each in new}
        self._suspected = {code: count for code, count in times.items() if count < _IN_A_ROW}
        # What is new in a look that came soon waits for its turn, or there would be no end to them.
        self._soon = any(count > 1 or not self._soon for count in self._suspected.values())
        if not self._soon:
            self._wait(self._interval or 0.0)
        return [*notes, *(each for each in new if times[each.code] == _IN_A_ROW)]

    def _wait(self, least: float) -> None:
        """Look no sooner than that many seconds from now."""
        if self._interval and self._due < math.inf:
            self._due = perf_counter() + max(least, _TIMES * self._ranks * self._spent)
            self._spent = 0.0

    def _give_up(self, why: str) -> None:
        logger.warning("batches are not looked at again: %s", why)
        self._due = math.inf
