"""AudioLossGuard: the monitor inside a training loop, for a plain loop, for Accelerate, and behind every framework."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from audioloss_cli.model import Alert, Finding, SettingError
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.monitor.scalars import as_step
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.first_batches import FirstBatches
from audioloss_cli.training.batches.gradients import GradientLook
from audioloss_cli.training.batches.periodic_check import PeriodicCheck
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches, named_batch
from audioloss_cli.training.batches.text_only import has_audio
from audioloss_cli.training.integrations.plain import PlainLoop
from audioloss_cli.training.losses.agreement import Agreement
from audioloss_cli.training.losses.audio_presence import AudioPresence
from audioloss_cli.training.losses.learning import Learning, label_share
from audioloss_cli.training.losses.logged_apart import Line
from audioloss_cli.training.losses.micro_batches import MicroBatches
from audioloss_cli.training.losses.monitors import AUDIO, Found, Monitors
from audioloss_cli.training.losses.read import Losses, own_loss_of, read_losses
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.action_record import ActionRecord
from audioloss_cli.training.response.alert_context import Loop, logger
from audioloss_cli.training.response.announce import Announcer, open_sinks
from audioloss_cli.training.response.checkpoints import Checkpoints
from audioloss_cli.training.response.folding import Folding
from audioloss_cli.training.response.responder import Responder
from audioloss_cli.training.state import from_state, to_state
from audioloss_cli.training.transport.arrivals import Arrivals, read_plain
from audioloss_cli.training.transport.ranks import NOBODY, Whose
from audioloss_cli.training.transport.scalar_layout import AUDIO_GRAD_NORM, BOUND, LABEL_SHARE, PART, Arrived

_FIRST_BATCHES = 3
_LOOK_AGAIN = 60.0
_LOG_EVERY = 100
_ALIGNMENT = ("label-leak", "double-shift")  # where labels and logits stand, by the batch alone


class AudioLossGuard:
    """Watches the audio loss of a training loop, examines the batches, and acts when something is wrong.

    ``guard.step(loss, batch=batch, outputs=outputs)`` once a step is all that it needs, after that of the optimiser: a
    rollback writes into the weights. Nothing in it waits for a device; with several ranks the host stays within a step
    of it, and waits where they have gloo alone for their devices. All ranks must call it, at the same steps. Frameworks
    have a file of their own: see ``AudioLossCallback`` and ``AudioLossLightning``.

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
        rules: options of loss rules, such as ``{"log-drop": {"ratio": 8}}``; see ``audioloss rule CODE``.
        first_batches: how many steps are looked at before anything is wrong; those of text alone are passed over.
        look_again: seconds after which a batch is looked at again, for faults that come into the data in mid-run: where
            losses are handed over, and never so often that it takes more than 0.05 % of the training. What is wrong is
            said if the next two looks find it as well. 0: at each chance; None: never. Nothing waits for a device: a
            batch that lies there is copied, and looked at some steps later.
        forward: whether an alert may run the model once more on its batch.
        log_every: steps from one line of what tells whether it learns to the next: nats below chance of the audio loss
            and of each codebook, the share of labels that count, the gradient norm of the audio part. They go to
            ``metrics.jsonl`` and to TensorBoard; a framework's file logs where the run logs. 0: never.
        deferred: read scalars at a later step; None: where they lie on a device, and where several ranks train.
        loop: what actions act on; a framework's file gives its own.
        **settings: of ``AudioLossMonitor``: ``window_size``, ``threshold``, ``critical_threshold``, ``scale``, ...

    Attributes:
        checkpoints: those that are known; tell of your own with ``checkpoints.add(step, path)``.
        loop, examiner, responder: what acts, what looks at batches, what answers to alerts.
        presence: whether the training still has an audio loss.

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
        rules: Mapping[str, Mapping[str, float]] | None = None,
        first_batches: int = _FIRST_BATCHES,
        look_again: float | None = _LOOK_AGAIN,
        forward: bool = True,
        log_every: int = _LOG_EVERY,
        deferred: bool | None = None,
        loop: Loop | None = None,
        **settings: Any,
    ) -> None:
        where = Path(directory)
        self.checkpoints = Checkpoints()
        self.loop: Any = loop or PlainLoop(model, optimizer, scheduler, where, save, restore)
        self.examiner = Examiner(adapter, options, forward=forward)
        self.examiner.model = model
        self.presence = AudioPresence()
        self._watch = Monitors({**settings, "options": rules})
        self._announcer = Announcer(open_sinks(self._watch, where, tensorboard, jsonl=jsonl))
        parts = (self._watch, self.examiner, self._announcer, self.checkpoints, self.loop, where)
        self.responder = Responder(policy or Policy(), *parts)
        self._looks = FirstBatches(first_batches, self.examiner, PeriodicCheck(look_again, self.examiner))
        self._arrivals = Arrivals(deferred)
        self._recent, self._micro = RecentBatches(), MicroBatches()
        self._unsettled = deque[Line]()  # lines of steps whose losses are still on their way from a device
        self._agreement, self._gradients = Agreement(), GradientLook()
        self._learning, self._log_steps = Learning(float(settings.get("scale", 1.0))), deque[int]()
        self.log_every, self._figures = _checked(log_every), dict[str, float]()
        self._begins, self._measures = True, False  # a step, of which the losses are measured
        self._noted, self._gradients_seen = list[Finding](), False
        self._folding, self._complained = Folding(), False
        self._step = self._batches = 0

    def step(
        self,
        loss: Any = None,
        batch: Any = None,
        outputs: Any = None,
        step: int | None = None,
        original: Any = None,
        grad_norm: Any = None,
        sync_gradients: bool = True,
    ) -> list[Alert]:
        """Take in one batch; return the alerts that were raised, most often none.

        Args:
            loss: the audio loss, or the total where the outputs tell the two apart (see ``losses``); a tensor is fine.
            batch: what the model was given.
            outputs: what the model gave, a mapping or an object: ``audio_loss``, codebook losses, ``loss``, logits,
                whichever it has.
            step: the training step; counted from 1 if None.
            original: the batch as the collator made it, if something is filtered on the way to the model.
            grad_norm: of this step, if it is known.
            sync_gradients: whether an optimiser step ends here; False for all but the last micro-batch of an
                accumulation (Accelerate's ``accelerator.sync_gradients``).

        Raises:
            AudioLossError: the policy asks for it.
            TypeError: the loss is not one number, or the step not a whole one.
        """
        self.collect(loss, batch=batch, outputs=outputs, original=original, copy=not sync_gradients)
        return self.close(step, grad_norm=grad_norm) if sync_gradients else []

    # What a framework's file calls in place of ``step``.

    def begin(self) -> None:
        """A training begins: what is left of a step that was never closed, as an exception came, is of no step."""
        self._micro, self._recent = MicroBatches(), RecentBatches()
        self.presence.begin()
        self._looks.begin()
        self._agreement.begin()
        self._gradients.begin()
        self._learning.begin()
        self._log_steps.clear()
        self._begins, self._gradients_seen = True, False

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
            named = None if original is None else named_batch(original)
            self.show(MicroBatch(named_batch(batch), named, own_loss=own_loss_of(outputs) is not None))
        self.feed(self.read(loss, outputs, batch), copy=copy)

    def show(self, fed: MicroBatch) -> None:
        """A micro-batch, to have it at hand when something is wrong."""
        self._recent.add(fed)
        # Losses are read by its layout: it is chosen at the first batch, even if that is not looked at.
        if self.examiner.adapter is None and (self._looks.left or not self._batches):
            self.examiner.choose(fed)

    def read(self, loss: Any, outputs: Any = None, batch: Any = None) -> Losses:
        """The losses of a micro-batch, see ``read_losses``; what cannot be read is said once, and ends no training."""
        self._batches += 1
        if self._begins:
            self._begins, self._measures = False, self._agreement.due()
        examiner, measure = self.examiner, self._measures and outputs is not None
        start, again = perf_counter() if measure else 0.0, self.presence.again()
        try:
            if outputs is None:
                return Losses() if loss is None else Losses(audio=loss)
            batch = named_batch(batch)
            # On a device neither codes nor losses are looked into.
            adapter = examiner.adapter if self._arrivals.at_once else None
            parts = self._agreement.part_is_audio
            found = read_losses(
                loss, outputs, batch, examiner.layout, again=again, adapter=adapter, measure=measure, difference=parts
            )
        except Exception as error:  # noqa: BLE001  # outputs that nobody foresaw
            found = Losses()
            found.odd = [f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"]
        if found.odd and not self._complained:
            self._complained = True
            logger.warning("a loss cannot be read: %s", "; ".join(found.odd))
        if measure:
            if self._arrivals.at_once:
                self._agreement.note(found)
            self._agreement.took(perf_counter() - start)
        return self.presence.told_apart(found, self._batches)

    def feed(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """The losses of a micro-batch by name, see ``losses`` and ``MicroBatches.add``."""
        self._micro.add(values, summed, copy=copy)

    def close(self, step: int | None = None, *, grad_norm: Any = None, logs: bool | None = None) -> list[Alert]:
        """An optimiser step ends; see ``step``. ``logs``: whether the run logs after it; by ``log_every`` if None."""
        # Between two steps no code is in a cache: a call that finds nothing to do costs more than to ask before.
        self._step = step = self._step + 1 if step is None else as_step(step)
        if self.responder.changed:
            self.responder.changed.clear()
        arrivals = self._arrivals
        if not arrivals.started:
            arrivals.start(self.examiner.model)
            self.responder.ranks = arrivals.ranks
        if self.presence.gone:
            self._micro.note("gone", 1.0)
            self.presence.gone = False
        values = self._micro.close()
        if grad_norm is not None:
            values["grad_norm"] = grad_norm
        self._recent.close(step)
        if logs or (logs is None and self.log_every and not step % self.log_every):
            self._measure(step, values)
        if logs is None and self.log_every and not (step + 1) % self.log_every:
            self._measure_before_the_next_step()
        if self._gradients.left and not self._gradients_seen:
            self.see_gradients(whole=False)
        self._begins, self._gradients_seen = True, False
        found = self._look(step, values) if self._noted or self._looks.is_due() else []
        if arrivals.at_once and read_plain(values):
            alerts = self._arrived(Arrived(step, values), found)
        else:
            alerts = list[Alert]()
            for arrived in arrivals.take(step, values):
                alerts, found = alerts + self._arrived(arrived, found), []
            alerts += self._handled(found)
        return alerts + self._settle() if self._unsettled else alerts

    def see_gradients(self, *, whole: bool) -> None:
        """The gradients of a step are there; ``whole``: none of them was thrown away yet, see ``GradientLook``."""
        self._gradients_seen = True
        if not self._gradients.left or self._looks.told:
            return  # of a batch with nothing to learn there is none
        examiner, batches = self.examiner, self._recent.latest()
        layout = examiner.layout
        read = self._arrivals.at_once
        try:
            if layout is not None and batches and not any(has_audio(layout, each, read=read) for each in batches):
                return
            found = self._gradients.look(examiner.model, layout, whole=whole)
        except Exception as error:  # noqa: BLE001  # a model that nobody foresaw must not end its training
            logger.warning("gradients are not looked at: %s", f"{type(error).__name__}: {error}"[:200])
            self._gradients.stop()
            return
        examiner.noted += found
        self._noted += found

    def measure_gradients(self) -> None:
        """Before an optimiser step after which the run logs: the gradients are there, as the optimiser gets them."""
        examiner = self.examiner
        norm = self._measured(lambda: self._learning.gradient_norm(examiner.model, examiner.layout))
        if norm is not None:
            self._micro.note(AUDIO_GRAD_NORM, norm)

    def log_now(self) -> dict[str, float]:
        """The run logs: take in what has arrived without a wait; return the figures that were not given yet."""
        if self._arrivals.alone:
            for arrived in self._arrivals.ready():
                self._arrived(arrived, [])
        figures, self._figures = self._figures, {}
        return figures

    def logged(self, value: float, step: int, beside: Mapping[str, Any] | None = None) -> list[Alert]:
        """A loss that the run logs for itself: a series of its own beside the one that is read at each step."""
        if not self._arrivals.alone:
            self._micro.note("logged", value)  # every rank must see it, whoever logs: it travels with the next step
            return []
        return self._handled(self._watch.logged(value, step, beside or {}))

    def logs_from(self, step: int, lines: Iterable[Line]) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        self._unsettled.clear()
        self._watch.logs_from(step, lines)

    def trained(self, line: Line) -> list[Alert]:
        """The loss that a framework logs as the one that is trained; it is watched where it is another than was read.

        Where several ranks train, it travels with the next step, so that all of them see it.
        """
        if not self._arrivals.alone:
            self._micro.note("trained", line.value)
            return []
        self._unsettled.append(line)
        return self._settle()

    def flush(self) -> list[Alert]:
        """Wait for what is queued: at the end of training, before a checkpoint.

        With several ranks on all of them, after the same step: a rank that comes alone sees alerts that the others do
        not, acts alone, and hangs the run, as one that stops or waits for what the others found in their batches does.
        """
        alerts = [alert for arrived in self._arrivals.flush() for alert in self._arrived(arrived, [])]
        return alerts + self._settle()

    def finish(self) -> list[Alert]:
        """The training ended: flush, and write out what is left; with several ranks on all of them."""
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

        With several ranks on all of them: rank 0 writes, but every rank must know of it, or a rollback would put back
        the weights of some. What is queued is then left there, so that a rank that comes alone after all does not act
        alone; ``flush()`` before, on all ranks, has the alerts first.

        Raises:
            ActionError: there is nothing to save, or it cannot be written.
        """
        if self._arrivals.alone:
            self.flush()
        step = self._step if step is None else step
        path: str = self.loop.save(step)
        self.checkpoints.add(step, path)
        return path

    def set_directory(
        self, directory: str | Path, tensorboard: Any = None, *, jsonl: bool = True, figures: bool = True
    ) -> None:
        """For frameworks, which know theirs only when the training begins; before any alert.

        ``figures``: whether those go to TensorBoard from here, and not through the framework's own log.
        """
        where = self.responder.directory = Path(directory)
        self._announcer.sinks[:] = open_sinks(self._watch, where, tensorboard, jsonl=jsonl, figures=figures)

    # What it knows.

    @property
    def monitor(self) -> AudioLossMonitor:
        """Of the audio loss, with every point that has arrived."""
        return self._watch.monitors[AUDIO]

    @property
    def monitors(self) -> Mapping[str, AudioLossMonitor]:
        """Of every series that is watched: ``audio_loss``, ``logged``, ``codebook/0``, ..."""
        return self._watch.monitors

    @property
    def taken(self) -> list[ActionRecord]:
        """Every action, with what was done and whether the loss came back."""
        return self.responder.ledger.taken

    @property
    def should_stop(self) -> bool:
        """Whether an action asked a plain loop to end."""
        return bool(getattr(self.loop, "stopped", False))

    @property
    def directory(self) -> Path:
        """Where files go."""
        return self.responder.directory

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs, as plain built-in types; it changes nothing, so that one rank may ask alone.

        Losses that are still on their way from a device or from other ranks are lost unless they are flushed before,
        on all ranks.
        """
        known = to_state(self._step, self._watch, self.responder, self.checkpoints, self._looks)
        return {**known, "presence": self.presence.state_dict(), "folding": self._folding.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        self._step = from_state(state, self._watch, self.responder, self.checkpoints, self._looks)
        if "presence" in state:  # states of before have none
            self.presence.load_state_dict(state["presence"])
        if "folding" in state:
            self._folding.load_state_dict(state["folding"])

    # Inside.

    def _look(self, step: int, values: dict[str, Any]) -> Found:
        """At a batch, if it is time, by the clock of this rank; what one of several finds travels with the numbers."""
        ranks = self._arrivals.ranks
        of, found = self._looks.find(step, self._recent, 1 if ranks is None else ranks.size)
        if found and self._agreement.agrees:  # by what is trained, whatever the labels look like
            found = [each for each in found if each.code not in _ALIGNMENT]
        if self._noted:
            found, self._noted = [*found, *self._noted], []
        if ranks is None:
            return self._looks.alerts(found, of)
        if found:
            self._looks.kept[step], values["findings"] = (of, found), 1.0
        return []

    def _arrived(self, arrived: Arrived, before: Found) -> list[Alert]:
        """The numbers of a step are there; all ranks come here together. ``before``: what is to be handled as well."""
        findings = arrived.values.pop("findings", None)
        ranks, values, found = self._arrivals.ranks, arrived.values, before
        if (BOUND in values or "total" in values or PART in values) and (noted := self._agreement.judge(values)):
            self.examiner.noted += noted
            found = before + self._looks.alerts(noted, arrived.step)
        self._learning.take_in(values)
        if self._log_steps and arrived.step >= self._log_steps[0]:
            self._log(arrived)
        said = self._watch.take_in(arrived)
        found = found + said if said else found
        if ranks is None:
            return self._handled(found) if found else []
        alerts = []
        if findings:
            for whose, each in self._looks.of_all(arrived.step, ranks, self._arrivals.device):
                alerts += self._handled(each, whose)
        return alerts + self._handled(found, ranks.whose(arrived.broken))

    def _measure(self, step: int, values: dict[str, Any]) -> None:
        """What is logged after this step, where it lies."""
        self._log_steps.append(step)
        layout, model, batches = self.examiner.layout, self.examiner.model, self._recent.at(step)
        measures = {
            AUDIO_GRAD_NORM: lambda: self._learning.gradient_norm(model, layout),
            LABEL_SHARE: lambda: label_share(batches, layout),
        }
        for name, measure in measures.items():
            if name not in values and not _is_nothing(value := self._measured(measure)):
                values[name] = value

    def _measure_before_the_next_step(self) -> None:
        """A plain loop may have thrown its gradients away by the time at which it hands over the loss."""
        for each in self.loop.optimizers[:1]:
            inner = getattr(each, "optimizer", each)  # Accelerate wraps it
            if not hasattr(inner, "register_step_pre_hook"):
                continue

            def measure(*_: Any) -> None:
                handle.remove()
                self.measure_gradients()

            handle = inner.register_step_pre_hook(measure)

    def _measured(self, measure: Callable[[], Any]) -> Any:
        try:
            return measure()
        except Exception as error:  # noqa: BLE001  # a model or a batch that nobody foresaw must not end a training
            logger.debug("not measured: %s: %s", type(error).__name__, error)
            return None

    def _log(self, arrived: Arrived) -> None:
        """The numbers up to this step are there: what the run logs after it, on rank 0."""
        while self._log_steps and self._log_steps[0] <= arrived.step:
            self._log_steps.popleft()
        loss = self._learning.mean
        self._figures = found = self._learning.figures(arrived.values, self.examiner.layout)
        if found and (self._arrivals.ranks is None or self._arrivals.ranks.rank == 0):
            self._announcer.figures(arrived.step, found, loss)

    def _settle(self) -> list[Alert]:
        """Compare what a framework logged as trained with what was read, as far as that has arrived."""
        lines, found = self._unsettled, []
        while lines and lines[0].step <= self._watch.last_step:
            found += self._watch.trained(lines.popleft())
        return self._handled(found)

    def _handled(self, found: Found, whose: Whose = NOBODY) -> list[Alert]:
        found = self._folding.said(found) if found else found
        if found:
            self.responder.handle(found, self._step, self._recent.at, whose)
        return [alert for _, alert in found]


def _checked(log_every: int) -> int:
    if isinstance(log_every, bool) or not isinstance(log_every, int) or log_every < 0:
        raise SettingError("log_every", f"must be a whole number of steps from 0 on, not {log_every!r}")
    return log_every


def _is_nothing(value: Any) -> bool:
    """Or a norm of 0, as far as that can be told without a wait: of gradients that the loop has set to 0."""
    return value is None or (value.is_cpu and not value.item())
