"""Findings of the first batches, and of others now and then, as alerts, each code once: the policy then serves both.

A fault that comes into the data in mid-run need not show in the loss: labels that become masked but for a frame, or are
shifted twice, leave the loss where it is, or make it fall as learning does. All checks of inputs together cost as much
as some steps, so that time, not steps, says when the next batch is looked at.
"""

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from time import perf_counter, time

import torch

from audioloss_cli.model import Alert, Finding, SettingError, Severity
from audioloss_cli.model.alert import type_of
from audioloss_cli.training.batches.evidence import NOTES, absent_audio
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.transport.pinned_memory import AsyncBatch, far_tensors
from audioloss_cli.training.transport.ranks import Ranks, Whose

#: Name of the series that such alerts belong to.
INPUTS = "inputs"
_TEXT_ALONE = 50  # steps without any audio at first, after which it is taken to be lost
_IN_A_ROW = 3  # looks; of one healthy batch in twenty something may be said, as of one of silence
_TIMES = 2000  # as long as looks took is waited before the next: they take 0.05 % of the training


class PeriodicCheck:
    """When to look, and what of it is to be said: what three looks in a row find, for a single batch may be odd.

    Args:
        interval: seconds from one look to the next at least; 0: at each chance, whatever it costs; None: never.
        examiner: what looks.

    Attributes:
        due: when a batch is to be looked at, as ``perf_counter`` counts.
        late: the one that is on its way from a device.

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
        self.due = math.inf if self._interval is None else perf_counter() + self._interval
        self._spent = 0.0  # seconds that looks took which no wait has followed yet
        self._suspected, self._soon = dict[str, int](), False  # by code, how often in a row; whether the last was soon
        self.late = AsyncBatch()

    def look(self, step: int, recent: RecentBatches, told: Container[str], ranks: int = 1) -> tuple[int, list[Finding]]:
        """A step, and what is wrong with a batch of it.

        Args:
            step: the one that was closed last. What is found on a device is found at a later one.
            recent: has its batches.
            told: codes of what was said before.
            ranks: how many train together; each waits for the others while they look.
        """
        self._ranks, start = ranks, perf_counter()
        if start < self.due and self.late.sent is None:
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
        if self.late.sent is not None:
            return self.late.take()
        if self._examiner.adapter is None or self._examiner.complaint:
            return None
        fed = next(reversed(recent.at(step)), None)
        if fed is None or fed.step != step or not isinstance(fed.clean, Mapping):
            return None
        if not far_tensors(fed):
            return fed
        try:
            self.late.send(fed)
        except Exception as error:  # noqa: BLE001  # memory that cannot be had must not end a training
            self._give_up(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        self._spent += perf_counter() - start
        if self.late.sent is None:
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
        if self._interval and self.due < math.inf:
            self.due = perf_counter() + max(least, _TIMES * self._ranks * self._spent)
            self._spent = 0.0

    def _give_up(self, why: str) -> None:
        logger.warning("batches are not looked at again: %s", why)
        self.due = math.inf


class FirstBatches:
    """The first batches; ``again``: those that are looked at later on.

    Attributes:
        left: how many are still to be looked at.
        examiner: what looks at them.
        told: codes of what was said already.
        again: when to look at another.
        kept: findings of this rank, with the step of the batch, by the step at which they were found, until all ranks
            come to them: one that acts alone hangs the run.
    """

    def __init__(self, batches: int, examiner: Examiner, again: PeriodicCheck) -> None:
        if batches < 0:
            raise SettingError("first_batches", f"must not be negative, as {batches} is")
        self.left, self.examiner, self.again = batches, examiner, again
        self._batches, self._resumed = batches, False
        self._silent, self._heard = 0, False  # steps of text alone that were passed over; whether another was seen
        self.told: set[str] = set()
        self.kept: dict[int, tuple[int, list[Finding]]] = {}

    @property
    def found_faults(self) -> bool:
        """Whether anything was said but notes."""
        return bool(self.told - NOTES)

    def begin(self) -> None:
        """A training begins, perhaps not the first: its batches may be other ones."""
        self.left, self._silent, self._heard = self._batches, 0, False
        self.examiner.complaint = ""
        if not self._resumed:
            self.told.clear()
        self._resumed = False
        self.again.begin()

    def resume(self, told: Iterable[str]) -> None:
        """What was said before the training was interrupted, which begins now, or did a moment ago."""
        self.told.update(told)
        self._resumed = True

    def is_due(self) -> bool:
        """Whether a batch is to be looked at once this step is over."""
        again = self.again
        return bool(self.left or self._resumed) or again.late.sent is not None or perf_counter() >= again.due

    def find(self, step: int, recent: RecentBatches, ranks: int = 1) -> tuple[int, list[Finding]]:
        """What is wrong with a batch, if one is to be looked at once this step is over; and the step of the batch."""
        self._resumed = False
        if self.left:
            return step, self.look(recent.at(step))
        return self.again.look(step, recent, self.told, ranks)

    def look(self, fed: Sequence[MicroBatch]) -> list[Finding]:
        """What is wrong with the micro-batches of one of them.

        A step of text alone is passed over: that it has no audio is said only if no step of the first ones has any.
        """
        self.left -= 1
        found, silent = list[Finding](), list[list[Finding]]()
        for one in fed:
            each = self.examiner.first_look(one)
            silent.append(absent_audio(self.examiner.adapter, one, each))
            found += [finding for finding in each if finding not in silent[-1]]
        if fed and self.examiner.complaint:
            logger.warning("batches are not examined: %s", self.examiner.complaint)
            self.left = 0
        elif fed and all(silent):
            found += self._passed_over(silent[-1])
        else:
            self._heard = self._heard or bool(fed)
        return found

    def _passed_over(self, absent: list[Finding]) -> list[Finding]:
        """A step that uses up no look, unless there are too many of them; what is to be said of it then."""
        self._silent += 1
        if self._silent < _TEXT_ALONE:
            self.left += 1
            return []
        self.left = 0
        return [] if self._heard else absent

    def alerts(self, findings: Iterable[Finding], step: int) -> list[tuple[str, Alert]]:
        """One for each code that was not told before."""
        new = []
        for finding in findings:
            if finding.code not in self.told:
                self.told.add(finding.code)
                new.append((INPUTS, _alert(finding, step)))
        return new

    def of_all(self, step: int, ranks: Ranks, device: torch.device) -> Iterator[tuple[Whose, list[tuple[str, Alert]]]]:
        """The alerts of a step by the rank whose batch it was; every rank must come here, and gets the same."""
        of, found = self.kept.pop(step, (step, []))
        own = [[of, each.code, str(each.severity), each.message, each.advice] for each in found]
        for rank, rows in enumerate(ranks.share(own, device)):
            findings = [Finding(code, Severity(grave), said, advice=advice) for _, code, grave, said, advice in rows]
            of = rows[0][0] if rows else step
            yield Whose((rank,), f"the batch of rank {rank} of {ranks.size}"), self.alerts(findings, of)


def _alert(finding: Finding, step: int) -> Alert:
    return Alert(
        type=type_of(finding.severity),
        severity=finding.severity,
        code=finding.code,
        step=step,
        value=math.nan,
        message=finding.message,
        edge="fired",
        incident=f"{INPUTS}:{finding.code}@{step}",
        wall_time=time(),
        advice=finding.advice,
    )
