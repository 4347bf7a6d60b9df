"""The way of a training step: batches and losses in, alerts and actions out.

``collect``, or ``show`` and ``feed``, take in each micro-batch, ``close`` ends the step. The numbers of a step arrive
at once where they lie on the CPU, else some steps later; all that is judged is judged when they have arrived.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from audioloss_cli.model import Alert, Finding
from audioloss_cli.monitor.scalars import as_step
from audioloss_cli.training.batches.evidence import has_audio
from audioloss_cli.training.batches.first_batches import FirstBatches
from audioloss_cli.training.batches.gradients import GradientLook
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches, micro_batch, named_batch
from audioloss_cli.training.losses.learning import LearningLog
from audioloss_cli.training.losses.monitors import Found, Monitors
from audioloss_cli.training.losses.read import Losses, own_loss_of
from audioloss_cli.training.losses.step_losses import LossReader, MicroBatches
from audioloss_cli.training.losses.trained_loss import Line
from audioloss_cli.training.response.alert_context import Loop, logger
from audioloss_cli.training.response.announce import Folding
from audioloss_cli.training.response.responder import Responder
from audioloss_cli.training.transport.arrivals import Arrivals, read_plain
from audioloss_cli.training.transport.ranks import NOBODY, Whose
from audioloss_cli.training.transport.scalar_layout import AT_OFFSETS, AUDIO_GRAD_NORM, BOUND, PART

_JUDGED = (BOUND, "total", PART, AT_OFFSETS[1])  # a step without any says nothing of what is trained
_ALIGNMENT = ("label-leak", "double-shift")  # where labels and logits stand, by the batch alone


class StepPipeline:
    """What a framework's file calls in place of ``AudioLossGuard.step``.

    Attributes:
        watch, looks, log, responder: the monitors, the looks at batches, the figures, what answers to alerts.
        reader: reads the losses.
        arrivals: the numbers of steps on their way, and the ranks.
        recent: the batches of the last steps.
        gradients: whether the loss reaches the audio parameters; at the first steps, as long as looks are ``left``.
        folding: which alerts are the same fault.
        step_number: of the step that was closed last.
    """

    def __init__(
        self,
        watch: Monitors,
        looks: FirstBatches,
        log: LearningLog,
        responder: Responder,
        loop: Loop,
        *,
        deferred: bool | None,
    ) -> None:
        self.watch, self.looks, self.log, self.responder, self.loop = watch, looks, log, responder, loop
        self.examiner = looks.examiner
        self.reader, self.arrivals = LossReader(self.examiner), Arrivals(deferred)
        self.recent, self._micro = RecentBatches(), MicroBatches()
        self._unsettled = deque[Line]()  # lines of steps whose losses are still on their way from a device
        self.gradients, self._gradients_seen = GradientLook(), False
        self._noted, self.folding = list[Finding](), Folding()
        self.step_number = 0

    def begin(self) -> None:
        """A training begins: what is left of a step that was never closed, as an exception came, is of no step."""
        self._micro, self.recent = MicroBatches(), RecentBatches()
        self.reader.begin()
        self.looks.begin()
        self.gradients.begin()
        self.log.begin()
        self._gradients_seen = False

    def collect(
        self,
        loss: Any = None,
        *,
        batch: Any = None,
        outputs: Any = None,
        original: Any = None,
        copy: bool = True,
    ) -> None:
        """Take in one micro-batch; ``close`` ends the step. ``copy``: see ``MicroBatches.add``."""
        if batch is not None:
            batch = batch if type(batch) is dict else named_batch(batch)
            made = None if original is None else named_batch(original)
            self.show(micro_batch((batch, made, (), None, own_loss_of(outputs) is not None)))
        values = self.reader.read(loss, outputs, batch, at_once=self.arrivals.at_once)
        self._micro.add(values, copy=copy)

    def show(self, fed: MicroBatch) -> None:
        """A micro-batch, to have it at hand when something is wrong."""
        self.recent.add(fed)
        # Losses are read by its layout: it is chosen at the first batch, even if that is not looked at.
        if self.examiner.adapter is None and (self.looks.left or not self.reader.batches):
            self.examiner.choose(fed)

    def read(self, loss: Any, outputs: Any = None, batch: Any = None) -> Losses:
        """The losses of a micro-batch, see ``LossReader``."""
        return self.reader.read(loss, outputs, batch, at_once=self.arrivals.at_once)

    def feed(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """The losses of a micro-batch by name, see ``losses`` and ``MicroBatches.add``."""
        self._micro.add(values, summed, copy=copy)

    def close(self, step: int | None = None, *, grad_norm: Any = None, logs: bool | None = None) -> list[Alert]:
        """An optimiser step ends; see ``step``. ``logs``: whether the run logs after it; by ``log_every`` if None."""
        # Between two steps no code is in a cache: a call that finds nothing to do costs more than to ask before.
        self.step_number = step = self.step_number + 1 if step is None else as_step(step)
        self.responder.changed.clear()
        arrivals = self.arrivals
        if not arrivals.started:
            arrivals.start(self.examiner.model)
            self.responder.ranks = arrivals.ranks
        if self.reader.presence.gone:
            self._micro.note("gone", 1.0)
            self.reader.presence.gone = False
        values = self._micro.close()
        if grad_norm is not None:
            values["grad_norm"] = grad_norm
        self.recent.close(step)
        if logs is None and self.log.every:  # it is a loop whose own log nobody knows
            logs = step % self.log.every == 0
            if (step + 1) % self.log.every == 0:
                self.log.measure_before_step(self.loop.optimizers, self.measure_gradients)
        if logs:
            self.log.measure(step, values, self.recent.at(step))
        if self.gradients.left and not self._gradients_seen:
            self.see_gradients(whole=False)
        self.reader.begins, self._gradients_seen = True, False
        found = self._look(step, values) if self._noted or self.looks.is_due() else []
        if arrivals.at_once and read_plain(values):
            alerts = self._arrived(step, values, found)
        else:
            alerts = []
            for arrived in arrivals.take(step, values):
                alerts += self._arrived(arrived.step, arrived.values, found, arrived.broken)
                found = []
            alerts += self._handled(found)
        return alerts + self._settle() if self._unsettled else alerts

    def see_gradients(self, *, whole: bool) -> None:
        """The gradients of a step are there; ``whole``: none of them was thrown away yet, see ``GradientLook``."""
        self._gradients_seen = True
        if not self.gradients.left or self.looks.found_faults:
            return  # of a batch with nothing to learn there is none
        examiner, batches = self.examiner, self.recent.latest()
        layout = examiner.layout
        read = self.arrivals.at_once
        try:
            if layout is not None and batches and not any(has_audio(layout, each, read=read) for each in batches):
                return
            found = self.gradients.look(examiner.model, layout, whole=whole)
        except Exception as error:  # noqa: BLE001  # a model that nobody foresaw must not end its training
            logger.warning("gradients are not looked at: %s", f"{type(error).__name__}: {error}"[:200])
            self.gradients.stop()
            return
        examiner.noted += found
        self._noted += found

    def measure_gradients(self) -> None:
        """Before an optimiser step after which the run logs: the gradients are there, as the optimiser gets them."""
        norm = self.log.gradient_norm()
        if norm is not None:
            self._micro.note(AUDIO_GRAD_NORM, norm)

    def log_now(self) -> dict[str, float]:
        """The run logs: take in what has arrived without a wait; return the figures that were not given yet."""
        if self.arrivals.alone:
            for arrived in self.arrivals.ready():
                self._arrived(arrived.step, arrived.values, [], arrived.broken)
        return self.log.new()

    def logged(self, value: float, step: int, beside: Mapping[str, Any] | None = None) -> list[Alert]:
        """A loss that the run logs for itself: a series of its own beside the one that is read at each step."""
        if not self.arrivals.alone:
            self._micro.note("logged", value)  # every rank must see it, whoever logs: it travels with the next step
            return []
        return self._handled(self.watch.logged(value, step, beside or {}))

    def logs_from(self, step: int, lines: Iterable[Line]) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        self._unsettled.clear()
        self.watch.logs_from(step, lines)

    def trained(self, line: Line) -> list[Alert]:
        """The loss that a framework logs as the one that is trained; it is watched where it is another than was read.

        Where several ranks train, it travels with the next step, so that all of them see it.
        """
        if not self.arrivals.alone:
            self._micro.note("trained", line.value)
            return []
        self._unsettled.append(line)
        return self._settle()

    def flush(self) -> list[Alert]:
        """Wait for what is queued, see ``AudioLossGuard.flush``."""
        alerts = list[Alert]()
        for arrived in self.arrivals.flush():
            alerts += self._arrived(arrived.step, arrived.values, [], arrived.broken)
        return alerts + self._settle()

    # Inside.

    def _look(self, step: int, values: dict[str, Any]) -> Found:
        """At a batch, if it is time, by the clock of this rank; what one of several finds travels with the numbers."""
        ranks = self.arrivals.ranks
        of, found = self.looks.find(step, self.recent, 1 if ranks is None else ranks.size)
        if found and self.reader.agreement.agrees:  # by what is trained, whatever the labels look like
            found = [each for each in found if each.code not in _ALIGNMENT]
        if self._noted:
            found, self._noted = [*found, *self._noted], []
        if ranks is None:
            return self.looks.alerts(found, of)
        if found:
            self.looks.kept[step], values["findings"] = (of, found), 1.0
        return []

    def _arrived(self, step: int, values: dict[str, float], before: Found, broken: tuple[int, ...] = ()) -> list[Alert]:
        """The numbers of a step are there; all ranks come here together.

        Args:
            step: see ``Arrived``.
            values: likewise.
            before: what is to be handled as well.
            broken: see ``Arrived``.
        """
        findings = values.pop("findings", None)
        ranks, found = self.arrivals.ranks, before
        alone = len(values) == 1 and "audio" in values  # then it is nothing to hold beside another
        if not alone and not values.keys().isdisjoint(_JUDGED) and (noted := self.reader.agreement.judge(values)):
            self.examiner.noted += noted
            found = before + self.looks.alerts(noted, step)
        self.log.learning.take_in(values)
        if self.log.steps:
            self.log.arrived(step, values, speaks=ranks is None or ranks.rank == 0)
        said = self.watch.take_in(step, values)
        found = found + said if said else found
        if ranks is None:
            return self._handled(found) if found else []
        alerts = []
        if findings:
            for whose, each in self.looks.of_all(step, ranks, self.arrivals.device):
                alerts += self._handled(each, whose)
        return alerts + self._handled(found, ranks.whose(broken))

    def _settle(self) -> list[Alert]:
        """Compare what a framework logged as trained with what was read, as far as that has arrived."""
        lines, found = self._unsettled, []
        while lines and lines[0].step <= self.watch.last_step:
            line = lines.popleft()
            noted = self.reader.agreement.logged(line.value)
            self.examiner.noted += noted
            found += self.looks.alerts(noted, line.step) + self.watch.trained(line)
        return self._handled(found)

    def _handled(self, found: Found, whose: Whose = NOBODY) -> list[Alert]:
        found = self.folding.said(found) if found else found
        if found:
            self.responder.handle(found, self.step_number, self.recent.at, whose)
        return [alert for _, alert in found]
