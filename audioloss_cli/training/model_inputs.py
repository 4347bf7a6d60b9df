"""What the model inside a module is given: its training step may filter the batch on the way, and nothing raises."""

from collections.abc import Mapping
from typing import Any

import torch

from audioloss_cli.training.recent import Fed


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

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled model calls it between its graphs
    def _before_forward(self, model: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if model.training:
            self._last = None if args else dict(kwargs)  # what stands without a name may be anything

    def of(self, batch: Mapping[str, Any]) -> Fed:
        """The batch beside what the model was given of it since the last call, as far as that is known."""
        given, self._last = self._last, None
        return Fed(batch) if given is None else Fed(given, batch)
