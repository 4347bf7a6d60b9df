"""Findings of the first batches, and of others later on, as alerts, each code once: the policy then serves both."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence

import torch

from audioloss_cli.model import Alert, Finding, SettingError, Severity
from audioloss_cli.model.alert import type_of
from audioloss_cli.training.batches.examination import NOTES
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.periodic_check import PeriodicCheck
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches
from audioloss_cli.training.batches.text_only import absent_audio
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.transport.ranks import Ranks, Whose

#: Name of the series that such alerts belong to.
INPUTS = "inputs"
_TEXT_ALONE = 50  # steps without any audio at first, after which it is taken to be lost


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
        return bool(self.left or self._resumed) or self.again.is_due()

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
        wall_time=time.time(),
        advice=finding.advice,
    )
