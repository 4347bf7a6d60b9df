"""The first pass over the samples, and the second, under the same random numbers."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import torch

from audioloss_cli.probe.data._blame import users_code
from audioloss_cli.probe.data._named import as_batch, owned
from audioloss_cli.probe.data._source import BatchSource


def two_passes(
    run: Callable[[], Iterator[Any]], what: str, count: int, kind: str, notes: list[str], *, repeatable: bool = True
) -> BatchSource:
    """A source of the first ``count`` batches that ``run`` gives, and gives again if ``repeatable``.

    Each batch is copied as it comes: a collator may hand out views of cached samples, or the same buffer each time.

    Raises:
        UnreadableError: the code of the user raised, or gave something that is no batch.
    """
    states = _states()

    def collect() -> list[dict[str, Any]]:
        with users_code(what):
            return [owned(as_batch(batch, f"--data {what!r}")) for batch in islice(run(), count)]

    def again() -> list[dict[str, Any]]:
        with _replayed(states):
            return collect()

    return BatchSource(collect(), kind, notes, again if repeatable else None)


def reopened(found: Iterable[Any]) -> Callable[[], Iterator[Any]]:
    """Opens ``found`` anew each time; nothing comes of a stream that would go on where the last pass ended."""
    streams: list[Iterator[Any]] = []

    def opened() -> Iterator[Any]:
        stream = iter(found)
        if any(stream is earlier for earlier in streams):
            return iter(())
        streams.append(stream)
        return stream

    return opened


def _states() -> tuple[Any, Any, torch.Tensor]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


@contextmanager
def _replayed(states: tuple[Any, Any, torch.Tensor]) -> Iterator[None]:
    """Random crops and masks fall as they did before; afterwards everybody's generators are as they were."""
    now = _states()
    _restore(states)
    try:
        yield
    finally:
        _restore(now)


def _restore(states: tuple[Any, Any, torch.Tensor]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
