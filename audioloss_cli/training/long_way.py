"""The long way of a step: batches and losses of any kind, from wherever they lie, to points, alerts and actions."""

from collections.abc import Collection, Mapping
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.monitor.scalars import as_step
from audioloss_cli.training.arrivals import Arrivals
from audioloss_cli.training.case import logger
from audioloss_cli.training.distributed import NOBODY, Whose
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.losses import Losses, read_losses
from audioloss_cli.training.micro import MicroBatches
from audioloss_cli.training.presence import Presence
from audioloss_cli.training.recent import Fed, RecentBatches
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.slots import Arrived
from audioloss_cli.training.watch import Found, Watch


class LongWay:
    """From micro-batches to steps, and from what arrives of them to alerts.

    Args:
        watch: the monitors.
        responder: what answers to alerts.
        looks: at the first batches, and at one again from time to time.
        arrivals: how numbers come in.

    Attributes:
        examiner, responder: what looks at batches, what answers to alerts.
        presence: of an audio loss.
    """

    def __init__(self, watch: Watch, responder: Responder, looks: FirstLooks, arrivals: Arrivals) -> None:
        self.responder, self.examiner = responder, looks.examiner
        self._watch, self._calm = watch, watch.calm
        self._looks, self._arrivals = looks, arrivals
        self._recent, self._micro = RecentBatches(), MicroBatches()
        self._open = False  # whether a step may go the short way
        self._complained = False
        self.presence = Presence()
        self._step = self._batches = 0

    def collect(
        self,
        loss: Any = None,
        *,
        batch: Mapping[str, Any] | None = None,
        outputs: Any = None,
        original: Mapping[str, Any] | None = None,
        copy: bool = True,
    ) -> None:
        """Take in one micro-batch; ``close`` ends the step. ``copy``: see ``MicroBatches.add``."""
        if batch is not None:
            self.show(Fed(batch, original))
        self.feed(self.read(loss, outputs, batch), copy=copy)

    def read(self, loss: Any, outputs: Any = None, batch: Mapping[str, Any] | None = None) -> Losses:
        """The losses of a micro-batch, see ``read_losses``; what cannot be read is said once, and ends no training."""
        self._batches += 1
        try:
            found = read_losses(loss, outputs, batch, self.examiner.layout, again=self.presence.again())
        except Exception as error:  # noqa: BLE001  # outputs that nobody foresaw
            found = Losses()
            found.odd = [f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"]
        if found.odd and not self._complained:
            self._complained = True
            logger.warning("a loss cannot be read: %s", "; ".join(found.odd))
        return found if outputs is None else self.presence.told_apart(found, self._batches)

    def show(self, fed: Fed) -> None:
        """A micro-batch, to have it at hand when something is wrong."""
        self._open = False  # not before it is closed
        self._recent.add(fed)
        # Losses are read by its layout: it is chosen at the first batch, even if that is not looked at.
        if self.examiner.adapter is None and (self._looks.left or not self._batches):
            self.examiner.choose(fed)

    def feed(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """The losses of a micro-batch by name, see ``losses`` and ``MicroBatches.add``."""
        self._open = False
        self._micro.add(values, summed, copy=copy)

    def begin(self) -> None:
        """A training begins: what is left of a step that was never closed, as an exception came, is of no step."""
        self._micro, self._recent = MicroBatches(), RecentBatches()
        self._open = False  # its first batches are looked at
        self.presence.begin()
        self._looks.begin()

    def close(self, step: int | None = None, *, grad_norm: Any = None) -> list[Alert]:
        """An optimiser step ends; see ``step``."""
        self._step = step = self._step + 1 if step is None else as_step(step)
        self.responder.changed.clear()
        arrivals = self._arrivals
        arrivals.start(self.examiner.model)
        if self.presence.gone:
            self._micro.note("gone", 1.0)
            self.presence.gone = False
        values = self._micro.close()
        if grad_norm is not None:
            values["grad_norm"] = grad_norm
        self._recent.close(step)
        found, alerts = self._look(step, values), list[Alert]()
        for arrived in arrivals.take(step, values):
            alerts, found = alerts + self._arrived(arrived, found), []
        self._open = arrivals.at_once and not self._looks.left
        return alerts + self._handled(found)

    def logged(self, value: float, step: int, beside: Mapping[str, Any] | None = None) -> list[Alert]:
        """A loss that the run logs for itself: a series of its own beside the one that is read at each step."""
        if not self._arrivals.alone:
            self._micro.note("logged", value)  # every rank must see it, whoever logs: it travels with the next step
            return []
        return self._handled([*self._watch.drain(), *self._watch.logged(value, step, beside or {})])

    def flush(self) -> list[Alert]:
        """Wait for what is queued: at the end of training, before a checkpoint.

        With several ranks on all of them, after the same step: a rank that comes alone sees alerts that the others do
        not, acts alone, and hangs the run, as one that stops or waits for what the others found in their batches does.
        """
        alerts = [alert for arrived in self._arrivals.flush() for alert in self._arrived(arrived, [])]
        return alerts + self._drain()

    # Inside.

    def _look(self, step: int, values: dict[str, Any]) -> Found:
        """At a batch, if it is time, by the clock of this rank; what one of several finds travels with the numbers."""
        self.responder.ranks = self._arrivals.ranks
        ranks = self._arrivals.ranks
        of, found = self._looks.find(step, self._recent, 1 if ranks is None else ranks.size)
        if ranks is None:
            return self._looks.alerts(found, of)
        if found:
            self._looks.kept[step], values["findings"] = (of, found), 1.0
        return []

    def _arrived(self, arrived: Arrived, before: Found) -> list[Alert]:
        """The numbers of a step are there; all ranks come here together. ``before``: what is to be handled as well."""
        findings = arrived.values.pop("findings", None)
        ranks = self._arrivals.ranks
        found = before + self._watch.take_in(arrived, alone=ranks is None)
        if ranks is None:
            return self._handled(found)
        alerts = []
        if findings:
            for whose, each in self._looks.of_all(arrived.step, ranks, self._arrivals.device):
                alerts += self._handled(each, whose)
        earlier = [each for each in found if each[1].step != arrived.step]
        now = [each for each in found if each[1].step == arrived.step]
        return alerts + self._handled(earlier) + self._handled(now, ranks.whose(arrived.broken))

    def _drain(self) -> list[Alert]:
        return self._handled(self._watch.drain())

    def _handled(self, found: Found, whose: Whose = NOBODY) -> list[Alert]:
        if found:
            self.responder.handle(found, self._step, self._recent.at, whose)
        return [alert for _, alert in found]
