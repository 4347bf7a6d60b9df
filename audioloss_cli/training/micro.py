"""The losses of the micro-batches of one optimiser step, as one loss."""

from collections.abc import Collection
from typing import Any

from torch import Tensor


class MicroBatches:
    """Means over the micro-batches that had a value, taken where the values lie."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._noted: dict[str, Any] = {}

    def add(self, values: dict[str, Any], summed: Collection[str] = ()) -> None:
        """Take in one micro-batch; ``summed``: names of parts of a sum, already divided by the accumulation.

        The mapping is the step's from now on.
        """
        if not self._values:
            self._values = values
            return
        for name, value in values.items():
            if name in self._values:
                before = self._values[name]
                self._values[name] = _detached(before) + _detached(value)
                self._counts[name] = self._counts.get(name, 1) + (name not in summed)
            else:
                self._values[name] = value

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


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value
