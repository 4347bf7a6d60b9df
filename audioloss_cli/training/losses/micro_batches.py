"""The losses of the micro-batches of one optimiser step, as one loss."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.training.losses.outputs import number_of
from audioloss_cli.training.transport.scalar_layout import CODEBOOKS, TOGETHER


class MicroBatches:
    """Means over the micro-batches that had a value, taken where the values lie."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._noted: dict[str, Any] = {}

    def add(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """Take in one micro-batch.

        Args:
            values: by name; the mapping is the step's from now on.
            summed: names of parts of a sum, already divided by the accumulation.
            copy: whether the loop may change its tensors before the step ends, as ``loss /= 4`` does.
        """
        if not self._values:
            self._values = {name: _kept(value) for name, value in values.items()} if copy else values
            return
        if TOGETHER in values or TOGETHER in self._values:
            values = self._alike(values)
        for name, value in values.items():
            if name in self._values:
                before = self._values[name]
                self._values[name] = _summand(before) + _summand(value)
                self._counts[name] = self._counts.get(name, 1) + (name not in summed)
            else:
                self._values[name] = _kept(value) if copy else value

    def note(self, name: str, value: Any) -> None:
        """A value that belongs to the step as a whole."""
        self._noted[name] = value

    def close(self) -> dict[str, Any]:
        """The values of the step; the next call of ``add`` begins another."""
        values, counts = self._values, self._counts
        if counts:
            values = {name: value / counts.get(name, 1) for name, value in values.items()}
            self._counts = {}
        if self._noted:
            values, self._noted = {**values, **self._noted}, {}
        self._values = {}
        return values

    def _alike(self, values: dict[str, Any]) -> dict[str, Any]:
        """Codebooks that lie together can be added to as many others alone: else all of them go by name."""
        kept = self._values
        widths = {len(each[TOGETHER]) for each in (kept, values) if TOGETHER in each}
        if len(widths) == 1 and not any(name in each for name in CODEBOOKS for each in (kept, values)):
            return values
        count = self._counts.pop(TOGETHER, 1)
        if TOGETHER in kept:
            self._counts.update(dict.fromkeys(CODEBOOKS[: len(kept[TOGETHER])], count))
        self._values = _apart(kept)
        return _apart(values)


def _apart(values: dict[str, Any]) -> dict[str, Any]:
    """No wait: what was one tensor is seen through several."""
    if TOGETHER not in values:
        return values
    each = dict(zip(CODEBOOKS, values[TOGETHER].detach().unbind(), strict=False))
    return {**{name: value for name, value in values.items() if name != TOGETHER}, **each}


def _summand(value: Any) -> Any:
    """In float32 at least: a sum in bfloat16 would be rounded to an eighth of a nat or so."""
    value = number_of(value)
    return value.detach().to(torch.promote_types(value.dtype, torch.float32)) if isinstance(value, Tensor) else value


def _kept(value: Any) -> Any:
    value = number_of(value)
    return value.detach().clone() if isinstance(value, Tensor) else value
