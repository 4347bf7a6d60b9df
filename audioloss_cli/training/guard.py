"""AudioLossGuard: the monitor inside a training loop, for a plain loop, for Accelerate, and behind every framework."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.monitor.scalars import as_step
from audioloss_cli.probe.adapter import Options
from audioloss_cli.records import Alert
from audioloss_cli.training.announce import Announcer, open_sinks
from audioloss_cli.training.arrivals import Arrivals
from audioloss_cli.training.case import Loop
from audioloss_cli.training.checkpoints import Checkpoints
from audioloss_cli.training.distributed import NOBODY, Whose
from audioloss_cli.training.examine import Examiner
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.late_scalar import Arrived
from audioloss_cli.training.losses import read_losses
from audioloss_cli.training.micro import MicroBatches
from audioloss_cli.training.plain import PlainLoop
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.recent import Fed, RecentBatches
from audioloss_cli.training.record import Taken
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.short_way import ShortWay
from audioloss_cli.training.state import from_state, to_state
from audioloss_cli.training.watch import AUDIO, Found, Watch

_FIRST_BATCHES = 3
_AT_ONCE = 32
_AGAIN = 10  # a loss that must be recomputed from logits costs too much for every batch


class AudioLossGuard:
    """Watches the audio loss of a training loop, examines the batches, and acts when something is wrong.

    ``guard.step(loss, batch=batch, outputs=outputs)`` once a step is all that it needs; nothing in it waits for a
    device. Frameworks have a file of their own: see ``AudioLossCallback`` and ``AudioLossLightning``.

    Args:
        policy: which actions an alert asks for; a log record, a dump and advice if None.
        model: the torch module that is trained: to examine logits at an alert, and for checkpoints.
        optimizer: torch's, for the learning rate and for checkpoints.
        scheduler: of the learning rate.
        directory: where dumps, checkpoints and ``alerts.jsonl`` go; made when it is first needed.
        tensorboard: a ``SummaryWriter``, or the log directory of the run, in which an event file is opened at the first
            alert; None for none.
        jsonl: whether to write ``alerts.jsonl``.
        save: called with a step, writes a checkpoint and returns its path; torch.save into ``directory`` if None.
        restore: called with a path, puts the run back to that checkpoint.
        adapter: name of the model family; found by the model's configuration and the batch if empty.
        options: for the generic adapter.
        first_batches: how many steps are looked at before anything is wrong.
        forward: whether an alert may run the model once more on its batch.
        deferred: read scalars at a later step; None: where they lie on a device, and where several ranks train.
        at_once: calm losses are handed to the monitors so many at a time, which costs a fraction; a loss that is not
            finite, low, repeated, or twice or half what is usual is always taken in at its step.
        loop: what actions act on; a framework's file gives its own.
        **settings: of ``AudioLossMonitor``: ``window_size``, ``threshold``, ``critical_threshold``, ``scale``, ...

    Attributes:
        checkpoints: those that are known; tell of your own with ``checkpoints.add(step, path)``.
        loop, examiner, responder: what acts, what looks at batches, what answers to alerts.

    Raises:
        ValueError: a setting that makes no sense.
    """

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        model: Any = None,
        optimizer: Any = None,
        scheduler: Any = None,
        directory: str | Path = "audioloss-alerts",
        tensorboard: Any = None,
        jsonl: bool = True,
        save: Callable[[int], str | Path] | None = None,
        restore: Callable[[str], object] | None = None,
        adapter: str = "",
        options: Options | None = None,
        first_batches: int = _FIRST_BATCHES,
        forward: bool = True,
        deferred: bool | None = None,
        at_once: int = _AT_ONCE,
        loop: Loop | None = None,
        **settings: Any,
    ) -> None:
        where = Path(directory)
        self.checkpoints = Checkpoints()
        self.loop: Any = loop or PlainLoop(model, optimizer, scheduler, where, save, restore)
        self.examiner = Examiner(adapter, options, forward=forward)
        self.examiner.model = model
        self._watch = Watch(settings, at_once)
        self._announcer = Announcer(open_sinks(self._watch, where, tensorboard, jsonl=jsonl))
        self.responder = Responder(
            policy or Policy(), self._watch, self.examiner, self._announcer, self.checkpoints, self.loop, where
        )
        self._recent, self._micro = RecentBatches(), MicroBatches()
        self._looks = FirstLooks(first_batches, self.examiner)
        self._arrivals = Arrivals(deferred)
        self._short = ShortWay(self._watch.calm, self._recent, self.examiner)
        self._open = False  # whether a step may go the short way
        self._step = self._batches = 0

    # The door of a loop.

    def step(
        self,
        loss: Any = None,
        *,
        step: int | None = None,
        batch: Mapping[str, Any] | None = None,
        outputs: Any = None,
        original: Mapping[str, Any] | None = None,
        grad_norm: Any = None,
        sync_gradients: bool = True,
    ) -> list[Alert]:
        """Take in one batch; return the alerts that were raised, most often none.

        Args:
            loss: the audio loss, or the total where the outputs tell the two apart (see ``losses``); a tensor is fine.
            step: the training step; counted from 1 if None.
            batch: what the model was given.
            outputs: what the model gave, a mapping or an object: ``audio_loss``, codebook losses, ``loss``, logits,
                whichever it has.
            original: the batch as the collator made it, if something is filtered on the way to the model.
            grad_norm: of this step, if it is known.
            sync_gradients: whether an optimiser step ends here; False for all but the last micro-batch of an
                accumulation (Accelerate's ``accelerator.sync_gradients``).

        Raises:
            AudioLossError: the policy asks for it.
            TypeError: the loss is not one number, or the step not a whole one.
        """
        if self._open and sync_gradients and grad_norm is None:
            number = self._step + 1 if step is None else step
            if type(number) is int and self._short.take(number, loss, batch, outputs, original):
                self._step = number
                return []
        self.collect(loss, batch=batch, outputs=outputs, original=original)
        return self.close(step, grad_norm=grad_norm) if sync_gradients else []

    def collect(
        self,
        loss: Any = None,
        *,
        batch: Mapping[str, Any] | None = None,
        outputs: Any = None,
        original: Mapping[str, Any] | None = None,
    ) -> None:
        """Take in one micro-batch; ``close`` ends the step."""
        if batch is not None:
            self.show(Fed(batch, original))
        self.feed(self.read(loss, outputs, batch))

    def read(self, loss: Any, outputs: Any = None, batch: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The losses of a micro-batch; see ``read_losses``."""
        self._batches += 1
        again = self._batches % _AGAIN == 1
        return read_losses(loss, outputs, batch, self.examiner.layout, again=again)

    def show(self, fed: Fed) -> None:
        """A micro-batch, to have it at hand when something is wrong."""
        self._open = False  # not before it is closed
        self._recent.add(fed)
        if self._looks.left and self.examiner.adapter is None:
            self.examiner.choose(fed)

    def feed(self, values: dict[str, Any], summed: Collection[str] = ()) -> None:
        """The losses of a micro-batch by name, see ``losses``; ``summed``: names of those that are parts of a sum."""
        self._open = False
        self._micro.add(values, summed)

    def close(self, step: int | None = None, *, grad_norm: Any = None) -> list[Alert]:
        """An optimiser step ends; see ``step``."""
        self._step = step = self._step + 1 if step is None else as_step(step)
        arrivals = self._arrivals
        arrivals.start()
        values = self._micro.close()
        if grad_norm is not None:
            values["grad_norm"] = grad_norm
        self._recent.close(step)
        found, alerts = self._look(step, values) if self._looks.left else [], list[Alert]()
        for arrived in arrivals.take(step, values):
            alerts, found = alerts + self._arrived(arrived, found), []
        self._open = arrivals.at_once and not self._looks.left
        return alerts + self._handled(found)

    def logged(self, value: float, step: int, beside: Mapping[str, Any] | None = None) -> list[Alert]:
        """A loss that the run logs for itself: a series of its own beside the one that is read at each step."""
        if self._arrivals.ranks is not None:
            self._micro.note("logged", value)  # every rank must see it, whoever logs: it travels with the next step
            return []
        return self._handled([*self._watch.drain(), *self._watch.logged(value, step, beside or {})])

    def flush(self) -> list[Alert]:
        """Wait for what is queued: at the end of training, and before a checkpoint."""
        alerts = [alert for arrived in self._arrivals.flush() for alert in self._arrived(arrived, [])]
        return alerts + self._drain()

    def finish(self) -> list[Alert]:
        """The training ended: flush, and write out what is left."""
        alerts = self.flush()
        self._announcer.close()
        return alerts

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """The batches of a loader, without those that a rollback wants skipped."""
        for batch in loader:
            if self.loop.skips:
                self.loop.skips -= 1
            else:
                yield batch

    def save_checkpoint(self, step: int | None = None) -> str:
        """Write a checkpoint to which a rollback may go back; its path.

        Raises:
            ActionError: there is nothing to save, or it cannot be written.
        """
        self.flush()
        step = self._step if step is None else step
        path: str = self.loop.save(step)
        self.checkpoints.add(step, path)
        return path

    # What it knows.

    @property
    def monitor(self) -> AudioLossMonitor:
        """Of the audio loss, with every point that has arrived."""
        self._drain()
        return self._watch.monitors[AUDIO]

    @property
    def monitors(self) -> Mapping[str, AudioLossMonitor]:
        """Of every series that is watched: ``audio_loss``, ``logged``, ``codebook/0``, ..."""
        self._drain()
        return self._watch.monitors

    @property
    def taken(self) -> list[Taken]:
        """Every action, with what was done and whether the loss came back."""
        self._drain()
        return self.responder.taken

    @property
    def should_stop(self) -> bool:
        """Whether an action asked a plain loop to end."""
        return bool(getattr(self.loop, "stopped", False))

    @property
    def directory(self) -> Path:
        """Where files go."""
        return self.responder.directory

    def set_directory(self, directory: str | Path, tensorboard: Any = None, *, jsonl: bool = True) -> None:
        """For frameworks, which know theirs only when the training begins; before any alert."""
        self.responder.directory = Path(directory)
        self._announcer.sinks[:] = open_sinks(self._watch, Path(directory), tensorboard, jsonl=jsonl)

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs, as plain built-in types; what is queued is lost unless it is flushed before."""
        self._drain()
        return to_state(self._step, self._watch, self.responder, self.checkpoints, self._looks)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        self._step = from_state(state, self._watch, self.responder, self.checkpoints, self._looks)

    # Inside.

    def _look(self, step: int, values: dict[str, Any]) -> Found:
        """At the structure of the first batches; what one of several ranks finds travels with the numbers."""
        self.responder.ranks = self._arrivals.ranks
        found = self._looks.look(self._recent.at(step))
        if self._arrivals.ranks is None:
            return self._looks.alerts(found, step)
        if found:
            self._looks.kept[step], values["findings"] = found, 1.0
        return []

    def _arrived(self, arrived: Arrived, before: Found) -> list[Alert]:
        """The numbers of a step are there; all ranks come here together. ``before``: what is to be handled as well."""
        findings = arrived.values.pop("findings", None)
        found, ranks = before + self._watch.take_in(arrived), self._arrivals.ranks
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
