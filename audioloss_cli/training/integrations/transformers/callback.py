"""AudioLossCallback: the guard inside ``transformers.Trainer``.

A forward hook sees what the model is given and what it gives. The state goes through the Trainer's own checkpoint
(``trainer_state.json``, ``stateful_callbacks``) as plain JSON, and is read from there on resuming.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.integrations.transformers.forward_hook import ForwardHook, processes_of_a_sum
from audioloss_cli.training.integrations.transformers.loop import TrainerLoop
from audioloss_cli.training.losses.trained_loss import audio_name, line_of, lines_of
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.response.restore import forget_gradients

_FOLDER = "audioloss"  # in the output directory
_OWN_NAME = "AudioLossCallback"


class AudioLossCallback(TrainerCallback, ExportableState):
    """Add it to a Trainer: ``callbacks=[AudioLossCallback()]``.

    Args:
        policy: which actions an alert asks for, or its fields as a mapping; a log record, a dump and advice if None.
        **settings: see ``AudioLossGuard``; ``directory`` is ``<output_dir>/audioloss`` if it is not given, and alerts
            go into the run's TensorBoard where it has one.

    Attributes:
        guard: the guard, with its monitor and what was done.
        hook: what the model is given and gives.
        grad_norm: of this step, if a mixin knows it.

    Raises:
        ValueError: a setting that makes no sense.
    """

    def __init__(self, policy: Policy | Mapping[str, Any] | None = None, **settings: Any) -> None:
        made = Policy(**policy) if isinstance(policy, Mapping) else policy or Policy()
        self._arguments = {**settings, "policy": plain_policy(made)}
        self._directory, self._board = settings.pop("directory", None), settings.pop("tensorboard", None)
        self._jsonl = settings.get("jsonl", True)
        self.loop = TrainerLoop()
        self.guard = AudioLossGuard(policy=made, loop=self.loop, **settings)
        self.hook = ForwardHook(self.guard)
        self.grad_norm: Any = None
        # A callback that was added twice hears of everything twice: the last steps, and the last log.
        self._closed: int | None = None
        self._skipped: int | None = None
        self._logs: Any = None
        self._logs_audio = False

    # What the Trainer tells.

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Bind to the run, and go on where a checkpoint left off."""
        self._bind(args, control, kwargs)
        self.loop.begin()
        self._closed = self._skipped = self._logs = None
        # Under DataParallel every replica would call the hook, from a thread of its own.
        self.hook.processes = processes_of_a_sum(args, self.loop.model)
        self.hook.attach(self.loop.model if args.n_gpu <= 1 else None, kwargs.get("train_dataloader"))
        board = self._board or (log_directory(args) if state.is_world_process_zero else None)
        where = self._directory or Path(args.output_dir) / _FOLDER
        # A mixin puts the figures into what the Trainer logs.
        self.guard.set_directory(where, board, jsonl=self._jsonl, figures=not self.hook.waits_for_loss)
        if state.global_step:
            resume(self.guard, state, self.loop.path(state.global_step))
        self.guard.pipeline.logs_from(state.global_step, lines_of(state.log_history, state.global_step))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """The optimiser has made its step."""
        step = state.global_step
        if step == self._closed:
            return control
        self._closed = step
        grad_norm, self.grad_norm = self.grad_norm, None
        self._bind(args, control, kwargs)
        self.guard.pipeline.close(step, grad_norm=grad_norm, logs=control.should_log)
        if control.should_save or control.should_training_stop:
            self.guard.flush()
        return control

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """The Trainer may save now; it asks rank 0 alone for the state, and only here are all ranks together."""
        self._bind(args, control, kwargs)
        if control.should_save or control.should_training_stop:
            self.guard.flush()
        return control

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Learn nothing from this step, where a rollback asked for it."""
        pipeline, logs = self.guard.pipeline, _logs_after(args, state)
        if not self.loop.skips and (logs or pipeline.gradients.left):
            self._bind(args, control, kwargs)
            pipeline.see_gradients(whole=True)
            if logs:
                pipeline.measure_gradients()
        if self.loop.skips and self._skipped != state.global_step:
            self._skipped = state.global_step
            self.loop.skips -= 1
            forget_gradients(kwargs["optimizer"], getattr(kwargs["optimizer"], "scaler", None))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """An audio loss that is logged; for want of any, the training loss, if it is another than what is read."""
        self._bind(args, control, kwargs)
        if logs is self._logs:
            return control
        self._logs = logs
        if "loss" in (logs or {}):
            self._log_figures(state, logs)
        numbers = {key: value for key, value in (logs or {}).items() if isinstance(value, (int, float))}
        audio = audio_name(numbers)
        beside = {"grad_norm": numbers.get("grad_norm"), "epoch": numbers.get("epoch")}
        self._logs_audio = self._logs_audio or bool(audio)  # it may have log lines of its own
        if audio and not self.hook.named:
            self.guard.pipeline.logged(numbers[audio], state.global_step, {**beside, "total": numbers.get("loss")})
        elif "loss" in numbers and not self._logs_audio:
            self._log_loss(numbers, state.global_step, beside)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A checkpoint was written."""
        self.loop.saved()
        path = self.loop.path(state.global_step)
        if path.is_dir():
            self.guard.checkpoints.add(state.global_step, path)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read what is queued, and let go of the model."""
        self._bind(args, control, kwargs)
        self.guard.finish()
        self.hook.let_go()

    def state(self) -> dict[str, Any]:
        """What the Trainer puts into ``trainer_state.json``."""
        plain = {name: value for name, value in self._arguments.items() if is_plain(value)}
        return {"args": plain, "attributes": {"resumed": self.guard.state_dict()}}

    def _log_figures(self, state: Any, logs: Any) -> None:
        """Into ``trainer_state.json``, where a mixin has not put them into the line before it was logged."""
        figures, lines = self.guard.pipeline.log_now(), state.log_history
        if figures and lines and lines[-1].get("step") == state.global_step and lines[-1].get("loss") == logs["loss"]:
            lines[-1].update(figures)

    def _log_loss(self, numbers: Mapping[str, Any], step: int, beside: Mapping[str, Any]) -> None:
        """The hook may have read no loss, or another one than that which is trained; a mixin knows the latter."""
        line = line_of(numbers, step)
        if not self.hook.had_loss:
            self.guard.pipeline.logged(numbers["loss"], step, beside)
        elif line is not None and not self.hook.waits_for_loss:
            self.guard.pipeline.trained(line)

    def _bind(self, args: Any, control: Any, known: Mapping[str, Any]) -> None:
        loop = self.loop
        loop.args, loop.control = args, control
        loop.model, loop.optimizer = known.get("model", loop.model), known.get("optimizer", loop.optimizer)
        loop.scheduler = known.get("lr_scheduler", loop.scheduler)
        self.guard.examiner.model = loop.model


def _logs_after(args: Any, state: Any) -> bool:
    """Whether the Trainer logs after the step that it makes; at the end of an epoch nobody knows before."""
    step, every = state.global_step + 1, state.logging_steps
    if step == 1 and args.logging_first_step:
        return True
    return args.logging_strategy == "steps" and bool(every) and step % every == 0


def log_directory(args: Any) -> Path | None:
    """Where the TensorBoard callback of this process writes; None if it does not."""
    if "tensorboard" not in (args.report_to or ()):
        return None
    named = os.environ.get("TENSORBOARD_LOGGING_DIR") or getattr(args, "logging_dir", None)  # an argument until 4.57
    above = Path(named).expanduser() if named else Path(args.output_dir) / "runs"
    own = [path for path in above.rglob("events.out.tfevents.*") if f".{os.getpid()}." in path.name]
    return max(own, key=lambda path: path.stat().st_mtime).parent if own else above if named else None


def plain_policy(policy: Policy) -> dict[str, Any]:
    """Its fields, as they can be given to it again."""
    return {
        "critical": list(policy.critical),
        "warning": list(policy.warning),
        "options": {name: dict(options) for name, options in policy.options.items()},
    }


def is_plain(value: Any) -> bool:
    """Whether JSON brings it back as it was."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))


def resume(guard: AudioLossGuard, state: Any, checkpoint: Path) -> None:
    """Go on where a checkpoint of the Trainer left off, with what its ``TrainerState`` holds of the callback."""
    found = state.stateful_callbacks.get(_OWN_NAME)
    found = found[0] if isinstance(found, list) and found else found
    try:
        if found:
            guard.load_state_dict(found["attributes"]["resumed"])
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("the state of the checkpoint cannot be read, the loss is watched afresh: %s", error)
    if checkpoint.is_dir():
        guard.checkpoints.add(state.global_step, checkpoint)
