"""Whether the loss that a Trainer's ``compute_loss`` returns is that of the model's outputs, though it is overridden.

Most overrides look at the outputs and return their loss as it is. What is read of the outputs is then what is trained,
and says more: the loss may be a sum over codebooks, and hold that of the text. It is the same tensor that tells, which
costs no look into it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, is_grad_enabled
from torch.nn import Module

from audioloss_cli.training.losses.read import own_loss_of

_Pass = tuple[Any, int]  # the model's own loss, and how often it was changed in place by then
_NOTHING: Any = object()


class OwnLoss:
    """The passes through a model inside of ``compute_loss``, and which of them gave the loss that is returned.

    Attributes:
        passes: inside of ``compute_loss``, those so far; None outside. They end with it: they hold graphs.
        place: of the pass, counted from the last one, which is -1; None where another loss was returned.
        processes: by how much the Trainer multiplies the loss in place, see ``processes_of_a_sum``.
    """

    def __init__(self) -> None:
        self.passes: list[_Pass] | None = None
        self.place: int | None = None
        self.processes = 1
        self._calls = 0
        self._wrapper: Any = None
        self._handle: Any = None

    def step(self, trainer: Any, model: Any, step: Callable[[], Any]) -> Any:
        """A training step of the ``trainer`` with the ``model`` that it trains; what it gives. ``place`` is of it."""
        self.place, self._calls = None, 0
        own, compute_loss = vars(trainer).get("compute_loss", _NOTHING), trainer.compute_loss

        def noted(*args: Any, **kwargs: Any) -> Any:
            return self._noted(compute_loss, *args, **kwargs)

        trainer.compute_loss = noted
        try:
            return step()
        finally:
            if own is _NOTHING:
                del trainer.compute_loss
            else:
                trainer.compute_loss = own

    def see(self, outputs: Any) -> None:
        """A pass ends, inside of ``compute_loss``."""
        if self.passes is not None:
            self.passes.append(_pass_of(outputs))

    def wrap(self, model: Any) -> None:
        """What ``compute_loss`` is given may be wrapped around the model, and give other tensors (DDP does)."""
        if model is not self._wrapper and isinstance(model, Module):
            self.let_go()
            self._wrapper, self._handle = model, model.register_forward_hook(self._after_wrapper)

    def let_go(self) -> None:
        """Of what is wrapped around the model."""
        if self._handle is not None:
            self._handle.remove()
        self._wrapper = self._handle = None

    def _after_wrapper(self, module: Any, args: Any, outputs: Any) -> None:
        if self.passes and module.training and is_grad_enabled():
            self.passes[-1] = _pass_of(outputs)

    def _noted(self, compute_loss: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._calls += 1
        self.passes = []
        try:
            returned = compute_loss(*args, **kwargs)
            loss = returned[0] if isinstance(returned, tuple) else returned
            # Of several calls the losses are put together by the training step.
            self.place = self._place_of(loss, self.passes or ()) if self._calls == 1 else None
        finally:
            self.passes = None
        return returned

    def _place_of(self, loss: Any, passes: Sequence[_Pass]) -> int | None:
        each = range(-1, -len(passes) - 1, -1)
        return next((place for place in each if passes[place][0] is loss and self._is_kept(*passes[place])), None)

    def _is_kept(self, loss: Any, version: int) -> bool:
        """Whether nobody but the Trainer changed it in place, who does so once, by the number of processes."""
        if not isinstance(loss, Tensor) or loss._version == version:
            return isinstance(loss, Tensor)
        factor = getattr(loss.grad_fn, "_saved_other", None)
        if loss._version > version + 1 or not isinstance(factor, Tensor) or not factor.is_cpu or factor.numel() != 1:
            return False
        return bool(factor.item() == self.processes)


def _pass_of(outputs: Any) -> _Pass:
    loss = own_loss_of(outputs)
    return loss, loss._version if isinstance(loss, Tensor) else 0
