"""AudioLossCallback: the guard inside ``transformers.Trainer``.

A forward hook sees what the model is given and what it gives. The state goes through the Trainer's own checkpoint
(``trainer_state.json``, ``stateful_callbacks``), and is read from there on resuming.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from audioloss_cli.records.tag_words import is_held_out, words
from audioloss_cli.training.case import logger
from audioloss_cli.training.collator import WatchedCollator, watch_collator
from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.losses import names_audio
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.recent import Fed
from audioloss_cli.training.run_board import log_directory
from audioloss_cli.training.trainer_loop import TrainerLoop
from audioloss_cli.training.trainer_state import is_plain, plain_policy

_FOLDER = "audioloss"  # in the output directory
_AUDIO = re.compile(r"\b(?:audio|speech)\b.*\bloss\b|\bloss\b.*\b(?:audio|speech)\b")
_OWN_NAME = "AudioLossCallback"


class AudioLossCallback(TrainerCallback, ExportableState):
    """Add it to a Trainer: ``callbacks=[AudioLossCallback()]``.

    Args:
        policy: which actions an alert asks for, or its fields as a mapping; a log record, a dump and advice if None.
        **settings: see ``AudioLossGuard``; ``directory`` is ``<output_dir>/audioloss`` if it is not given, and alerts
            go into the run's TensorBoard where it has one.

    Attributes:
        guard: the guard, with its monitor and what was done.

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
        self.original: Mapping[str, Any] | None = None
        self.grad_norm: Any = None
        self.waits_for_loss = False  # a mixin will bring the loss that is trained
        self._pending: list[tuple[dict[str, Any], set[str], bool]] = []
        self._named = self._had_loss = False
        self._collator: WatchedCollator | None = None
        self._hook: Any = None
        # A callback that was added twice hears of everything twice: the last steps, and the last log.
        self._closed: int | None = None
        self._skipped: int | None = None
        self._logs: Any = None

    # What the Trainer tells.

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Bind to the run, and go on where a checkpoint left off."""
        self._bind(args, control, kwargs)
        self._let_go()  # of a training that was ended by an exception
        self._closed = self._skipped = self._logs = None
        if args.n_gpu <= 1:  # under DataParallel every replica would call the hook, from a thread of its own
            self._hook = self.loop.model.register_forward_hook(self._after_forward, with_kwargs=True)
        self._collator = watch_collator(kwargs.get("train_dataloader"))
        board = self._board or (log_directory(args) if state.is_world_process_zero else None)
        self.guard.set_directory(self._directory or Path(args.output_dir) / _FOLDER, board, jsonl=self._jsonl)
        if state.global_step:
            self._resume(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """The optimiser has made its step."""
        self._bind(args, control, kwargs)
        if state.global_step == self._closed:
            return control
        self._closed = state.global_step
        grad_norm, self.grad_norm = self.grad_norm, None
        self.guard.close(state.global_step, grad_norm=grad_norm)
        if control.should_save or control.should_training_stop:
            self.guard.flush()
        return control

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A parameter without a gradient is left alone by every optimiser of torch, weight decay included."""
        if self.loop.skips and self._skipped != state.global_step:
            self._skipped = state.global_step
            self.loop.skips -= 1
            kwargs["optimizer"].zero_grad(set_to_none=True)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """An audio loss that is logged; for want of any, the training loss."""
        self._bind(args, control, kwargs)
        if logs is self._logs:
            return control
        self._logs = logs
        numbers = {key: value for key, value in (logs or {}).items() if isinstance(value, (int, float))}
        audio = [key for key in numbers if _AUDIO.search(words(key)) and not is_held_out(key)]
        beside = {"grad_norm": numbers.get("grad_norm"), "epoch": numbers.get("epoch")}
        if audio and not self._named:
            self.guard.logged(numbers[audio[0]], state.global_step, {**beside, "total": numbers.get("loss")})
        elif "loss" in numbers and not self._had_loss and not audio:
            self.guard.logged(numbers["loss"], state.global_step, beside)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A checkpoint was written."""
        path = self.loop.path(state.global_step)
        if path.is_dir():
            self.guard.checkpoints.add(state.global_step, path)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read what is queued, and let go of the model."""
        self._bind(args, control, kwargs)
        self.guard.finish()
        self._let_go()

    # What the hook, or the mixin, shows.

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns that the Trainer removed before the collator, as far as they are known."""
        return () if self._collator is None else self._collator.dropped

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled model calls it between its graphs
    def _after_forward(self, module: Any, args: Any, kwargs: Mapping[str, Any], outputs: Any) -> None:
        if not module.training or self.guard.examiner.busy:
            return
        batch = dict(kwargs)
        summed = batch.pop("num_items_in_batch", None) is not None
        self.guard.show(Fed(batch, self.original, self.dropped))
        values = self.guard.read(None, outputs, batch)
        self._had_loss, self._named = self._had_loss or bool(values), names_audio(outputs)
        parts = {"audio", "total"} if summed and not self._named else set()
        if self.waits_for_loss:
            self._pending.append((values, parts, self._named))
        else:
            self.guard.feed(values, parts)

    def trained(self, loss: Any, *, custom: bool) -> None:
        """The loss of a micro-batch as it was trained, divided by the accumulation; ``custom``: not the model's own."""
        values, parts, named = self._pending[-1] if self._pending else ({}, set(), False)
        self._pending.clear()
        if named:
            values, parts = {**values, "total": loss}, {*parts, "total"}
        elif custom or not values:
            values, parts = {**values, "audio": loss}, {*parts, "audio"}
        self._had_loss = True
        self.guard.feed(values, parts)

    # State.

    def state(self) -> dict[str, Any]:
        """What the Trainer puts into ``trainer_state.json``."""
        plain = {name: value for name, value in self._arguments.items() if is_plain(value)}
        return {"args": plain, "attributes": {"resumed": self.guard.state_dict()}}

    def _resume(self, state: Any) -> None:
        found = state.stateful_callbacks.get(_OWN_NAME)
        found = found[0] if isinstance(found, list) and found else found
        try:
            if found:
                self.guard.load_state_dict(found["attributes"]["resumed"])
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("the state of the checkpoint cannot be read, the loss is watched afresh: %s", error)
        if self.loop.path(state.global_step).is_dir():
            self.guard.checkpoints.add(state.global_step, self.loop.path(state.global_step))

    def _let_go(self) -> None:
        """Of the model and of the collator."""
        if self._hook is not None:
            self._hook.remove()
        if self._collator is not None:
            self._collator.let_go()
        self._hook = self._collator = None

    def _bind(self, args: Any, control: Any, known: Mapping[str, Any]) -> None:
        loop = self.loop
        loop.args, loop.control = args, control
        loop.model, loop.optimizer = known.get("model", loop.model), known.get("optimizer", loop.optimizer)
        loop.scheduler = known.get("lr_scheduler", loop.scheduler)
        self.guard.examiner.model = loop.model
