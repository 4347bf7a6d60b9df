"""AudioLossGuard: the monitor inside a training loop, for a plain loop, for Accelerate, and behind every framework."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.training.announce import Announcer, open_sinks
from audioloss_cli.training.arrivals import Arrivals
from audioloss_cli.training.case import Loop
from audioloss_cli.training.checkpoints import Checkpoints
from audioloss_cli.training.examine import Examiner
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.known import Known
from audioloss_cli.training.look_again import LooksAgain
from audioloss_cli.training.plain import PlainLoop
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.short_way import ShortWay
from audioloss_cli.training.trained import Trained
from audioloss_cli.training.watch import Watch

_FIRST_BATCHES = 3
_AT_ONCE = 1024
_LOOK_AGAIN = 60.0


class AudioLossGuard(ShortWay, Known, Trained):
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
        deferred: read scalars at a later step; None: where they lie on a device, and where several ranks train.
        at_once: calm losses are handed to the monitors so many at a time, or what has come after 10 seconds, which
            costs a fraction; beside other ranks at most 128, whatever the time. What they say of such a loss comes as
            much later, and not at all if the process dies before. A loss that is not finite, low, repeated, or twice or
            half what is usual is always taken in at its step. Early on few wait.
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
        rules: Mapping[str, Mapping[str, float]] | None = None,
        first_batches: int = _FIRST_BATCHES,
        look_again: float | None = _LOOK_AGAIN,
        forward: bool = True,
        deferred: bool | None = None,
        at_once: int = _AT_ONCE,
        loop: Loop | None = None,
        **settings: Any,
    ) -> None:
        where = Path(directory)
        self.checkpoints = Checkpoints()
        self.loop: Any = loop or PlainLoop(model, optimizer, scheduler, where, save, restore)
        examiner = Examiner(adapter, options, forward=forward)
        examiner.model = model
        watch = Watch({**settings, "options": rules}, at_once)
        self._announcer = Announcer(open_sinks(watch, where, tensorboard, jsonl=jsonl))
        responder = Responder(policy or Policy(), watch, examiner, self._announcer, self.checkpoints, self.loop, where)
        looks = FirstLooks(first_batches, examiner, LooksAgain(look_again, examiner))
        super().__init__(watch, responder, looks, Arrivals(deferred))

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

    def set_directory(self, directory: str | Path, tensorboard: Any = None, *, jsonl: bool = True) -> None:
        """For frameworks, which know theirs only when the training begins; before any alert."""
        self.responder.directory = Path(directory)
        self._announcer.sinks[:] = open_sinks(self._watch, Path(directory), tensorboard, jsonl=jsonl)
