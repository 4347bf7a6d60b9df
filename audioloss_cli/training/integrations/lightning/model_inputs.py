"""What the model inside a module is given: its training step may filter the batch on the way, and nothing raises."""

from collections.abc import Mapping
from typing import Any

from torch import is_grad_enabled
from torch.compiler import is_compiling

from audioloss_cli.training.integrations.compiled import between_graphs


class ModelInputs:
    """A hook on the model, for frameworks that show the batch alone."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None
        self._handle: Any = None

    def attach(self, model: Any, module: Any) -> None:
        """To the ``model``, if it is not the ``module`` itself, whose training step is given the batch."""
        self.let_go()
        if model is not module:
            self._handle = model.register_forward_pre_hook(self._before_forward, with_kwargs=True)

    def let_go(self) -> None:
        """Of the model."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = self._last = None

    def _before_forward(self, model: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if is_compiling():
            self._between_graphs(model, args, kwargs)
        elif model.training and is_grad_enabled():
            self._last = None if args else kwargs  # what stands without a name may be anything

    @between_graphs
    def _between_graphs(self, *given: Any) -> None:
        """For a compiled model."""
        self._before_forward(*given)

    def pair(self, batch: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """What the model was given since the last call, as far as that is known, and the batch before."""
        given, self._last = self._last, None
        return (batch, None) if given is None else (given, batch)
