"""AudioLossGuard: the monitor inside a training loop, for a plain loop, for Accelerate, and behind every framework."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.first_batches import FirstBatches, PeriodicCheck
from audioloss_cli.training.integrations.plain import PlainLoop
from audioloss_cli.training.losses.learning import LearningLog
from audioloss_cli.training.losses.monitors import AUDIO, Monitors
from audioloss_cli.training.pipeline import StepPipeline
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.alert_context import ActionRecord, Loop
from audioloss_cli.training.response.announce import Announcer, open_sinks
from audioloss_cli.training.response.responder import Responder
from audioloss_cli.training.response.restore import Checkpoints
from audioloss_cli.training.state import from_state, to_state

_FIRST_BATCHES = 3
_LOOK_AGAIN = 60.0
_LOG_EVERY = 100


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
        pipeline: the way of a step, for a framework's file.

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
        watch = Monitors({**settings, "options": rules})
        self._announcer = Announcer(open_sinks(watch, where, tensorboard, jsonl=jsonl))
        parts = (watch, self.examiner, self._announcer, self.checkpoints, self.loop, where)
        self.responder = Responder(policy or Policy(), *parts)
        looks = FirstBatches(first_batches, self.examiner, PeriodicCheck(look_again, self.examiner))
        log = LearningLog(log_every, float(settings.get("scale", 1.0)), self.examiner, self._announcer)
        self.pipeline = StepPipeline(watch, looks, log, self.responder, self.loop, deferred=deferred)

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
        self.pipeline.collect(loss, batch=batch, outputs=outputs, original=original, copy=not sync_gradients)
        return self.pipeline.close(step, grad_norm=grad_norm) if sync_gradients else []

    def flush(self) -> list[Alert]:
        """Wait for what is queued: at the end of training, before a checkpoint.

        With several ranks on all of them, after the same step: a rank that comes alone sees alerts that the others do
        not, acts alone, and hangs the run, as one that stops or waits for what the others found in their batches does.
        """
        return self.pipeline.flush()

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
        if self.pipeline.arrivals.alone:
            self.flush()
        step = self.pipeline.step_number if step is None else step
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
        self._announcer.sinks[:] = open_sinks(self.pipeline.watch, where, tensorboard, jsonl=jsonl, figures=figures)

    # What it knows.

    @property
    def monitor(self) -> AudioLossMonitor:
        """Of the audio loss, with every point that has arrived."""
        return self.pipeline.watch.monitors[AUDIO]

    @property
    def monitors(self) -> Mapping[str, AudioLossMonitor]:
        """Of every series that is watched: ``audio_loss``, ``logged``, ``codebook/0``, ..."""
        return self.pipeline.watch.monitors

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
        return to_state(self.pipeline, self.checkpoints)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        from_state(state, self.pipeline, self.checkpoints)
