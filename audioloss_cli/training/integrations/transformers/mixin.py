"""AudioLossMixin: the guard inside a subclass of ``transformers.Trainer``, under method names to override.

``class MyTrainer(AudioLossMixin, Trainer)``: nothing else is to be done. Beside what the callback sees, the mixin knows
the loss that is trained, whoever computes it, the gradient norm, and the batch before anything was filtered from it.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from torch import Tensor
from transformers import Trainer

from audioloss_cli.model import Alert, Finding
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.probe.validate import validate_audio_logits
from audioloss_cli.training.batches.recent import MicroBatch, named_batch
from audioloss_cli.training.integrations.transformers.callback import AudioLossCallback
from audioloss_cli.training.integrations.transformers.forward_hook import ForwardHook
from audioloss_cli.training.response.alert_context import ActionRecord, logger


class AudioLossMixin:
    """Stands before ``Trainer`` in the bases.

    Attributes:
        audio_loss_options: of ``AudioLossCallback``; set it in the subclass to change anything. A callback that the
            Trainer is given is used as it is.

    Raises:
        TypeError: a subclass whose bases have the Trainer first, so that nothing would be watched.
    """

    audio_loss_options: ClassVar[Mapping[str, Any]] = {}
    _known_callback: AudioLossCallback | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if Trainer in order and order.index(Trainer) < order.index(AudioLossMixin):
            raise TypeError(
                f"{cls.__name__} never reaches AudioLossMixin: put it first, before the Trainer, in its bases"
            )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._audio_loss_callback() is None:
            self.add_callback(AudioLossCallback(**self.audio_loss_options))  # type: ignore[attr-defined]  # the Trainer's
        self._bound_audio_loss_callback()

    @property
    def audio_loss_monitor(self) -> AudioLossMonitor:
        """The monitor of the audio loss."""
        return self._bound_audio_loss_callback().guard.monitor

    def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The Trainer's own, watched."""
        callback = self._audio_loss_callback()
        if callback is None:  # it was removed
            return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
        hook = callback.hook if callback.hook.waits_for_loss else self._bound(callback).hook
        given = named_batch(inputs)
        hook.original = dict(given) if isinstance(given, (dict, Mapping)) else None
        if self._has_own_loss():
            loss = self._step_of_own_loss(hook, super().training_step, (model, inputs, *args), kwargs)  # type: ignore[misc]
        else:
            loss = super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
            hook.trained(loss, custom=False)
        hook.original = None
        return loss

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        """The Trainer's own (5.24), noted."""
        norm = super()._get_grad_norm(*args, **kwargs)  # type: ignore[misc]
        callback = self._audio_loss_callback()
        if callback is not None:
            callback.grad_norm = norm
        return norm

    def log(self, logs: Any, *args: Any, **kwargs: Any) -> Any:
        """The Trainer's own, with what tells whether the audio part learns beside the training loss."""
        callback = self._audio_loss_callback()
        if callback is not None and "loss" in logs:
            logs = {**logs, **callback.guard.pipeline.log_now()}
        return super().log(logs, *args, **kwargs)  # type: ignore[misc]

    # To override.

    def _validate_model_inputs(
        self, original_batch: Mapping[str, Any], clean_inputs: Mapping[str, Any]
    ) -> list[Finding]:
        """What is wrong with the inputs; called on the first batches, and on one from time to time, copied to the host.

        Args:
            original_batch: as the collator made it.
            clean_inputs: what the model was given; what was filtered out is named.

        Returns:
            Findings of at least a warning, the gravest first; each is an alert.
        """
        callback = self._bound_audio_loss_callback()
        examiner, fed = (
            callback.guard.examiner,
            MicroBatch(clean_inputs, original_batch, callback.hook.dropped, own_loss=callback.hook.own_loss),
        )
        if examiner.adapter is None:  # before the first step
            examiner.model = self.model  # type: ignore[attr-defined]  # the Trainer's
            examiner.choose(fed)
        return examiner.look(fed)

    def _validate_audio_logits(self, audio_logits: Tensor, audio_labels: Tensor) -> list[Finding]:
        """What is wrong with audio logits [N, K, V] beside labels [N, K] or [K, N]; it waits for the device.

        A subclass that overrides it is called at every alert for which the model runs once more; what it finds stands
        beside what the checks of the probe find. Those know more of the batch, so that this is not called by itself.

        Raises:
            ValueError: tensors of another form.
        """
        layout = self._bound_audio_loss_callback().guard.examiner.layout
        known = {} if layout is None else {name: getattr(layout, name) for name in _OF_LAYOUT}
        return validate_audio_logits(audio_logits, audio_labels, **known)

    def _take_corrective_action(self, batch: Mapping[str, Any], alert: Alert) -> list[ActionRecord]:
        """Do what the policy asks for; called at every alert that asks for anything.

        Args:
            batch: what the model was given at the step of the alert.
            alert: what is wrong; a trainer may call this with an alert of its own as well.
        """
        responder = self._bound_audio_loss_callback().guard.responder
        fed = responder.case.fed if responder.case is not None else ()
        if fed:
            self._log_detailed_batch_info(fed[-1].original or {}, fed[-1].clean)
        return responder.act(alert, batch)

    def _log_detailed_batch_info(self, original_batch: Mapping[str, Any], clean_inputs: Mapping[str, Any]) -> None:
        """Names, shapes and dtypes of both, without reading a value."""
        logger.info("original batch: %s", _shapes(original_batch))
        logger.info("model inputs: %s", _shapes(clean_inputs))

    # Inside.

    def _audio_loss_callback(self) -> AudioLossCallback | None:
        """The Trainer's; one that restores callbacks from a checkpoint makes a new one."""
        callbacks = self.callback_handler.callbacks  # type: ignore[attr-defined]  # the Trainer's
        if self._known_callback not in callbacks:
            found = (each for each in callbacks if isinstance(each, AudioLossCallback))
            self._known_callback = next(found, None)
        return self._known_callback

    def _bound_audio_loss_callback(self) -> AudioLossCallback:
        """The callback, with the doors of this class in it.

        Raises:
            RuntimeError: it was removed from the Trainer.
        """
        callback = self._audio_loss_callback()
        if callback is None:
            raise RuntimeError("the AudioLossCallback was removed from this Trainer: nothing is watched")
        return self._bound(callback)

    def _bound(self, callback: AudioLossCallback) -> AudioLossCallback:
        if not callback.hook.waits_for_loss:
            callback.hook.waits_for_loss = True
            callback.guard.responder.instead = self._take_corrective_action
            callback.guard.examiner.first_look = partial(_first_look, self)  # type: ignore[method-assign]
            if type(self)._validate_audio_logits is not AudioLossMixin._validate_audio_logits:
                callback.guard.examiner.check_logits = self._validate_audio_logits
        return callback

    def _step_of_own_loss(self, hook: ForwardHook, step: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """One with a ``compute_loss`` that may return the model's own loss all the same."""
        place = None
        if getattr(step, "__func__", None) is Trainer.training_step:
            loss = hook.step(self, args[0], partial(step, *args, **kwargs))
            place = hook.own.place
        else:  # it may do more to the loss than what is known
            loss = step(*args, **kwargs)
        hook.trained(loss, custom=place is None, place=place or -1)
        return loss

    def _has_own_loss(self) -> bool:
        """Whether the loss that is trained may be another than the model's."""
        if type(self).compute_loss is not Trainer.compute_loss or "compute_loss" in vars(self):  # type: ignore[attr-defined]
            return True
        return getattr(self, "compute_loss_func", None) is not None or getattr(self, "label_smoother", None) is not None


_OF_LAYOUT = ("num_codebooks", "vocab_size", "bos", "eos", "ignore_index", "shift")


def _first_look(trainer: AudioLossMixin, fed: MicroBatch) -> list[Finding]:
    return trainer._validate_model_inputs(fed.original or {}, fed.clean)  # the door to override


def _shapes(batch: Mapping[str, Any]) -> str:
    each = [
        f"{name} {list(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        if isinstance(value, Tensor)
        else f"{name} {type(value).__name__}"
        for name, value in batch.items()
    ]
    return ", ".join(each) or "nothing"
