"""The first pass over the samples, and the second, under the same random numbers."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np
import torch

from audioloss_cli.probe.data._blame import users_code
from audioloss_cli.probe.data._named import as_batch, owned
from audioloss_cli.probe.data._source import BatchSource

States = tuple[Any, Any, torch.Tensor]


def two_passes(
    run: Callable[[], Iterator[Any]], what: str, count: int, kind: str, notes: list[str], *, repeatable: bool = True
) -> BatchSource:
    """A source of the first ``count`` batches that ``run`` gives, and gives again if ``repeatable``.

    Each batch is copied as it comes: a collator may hand out views of cached samples, or the same buffer each time.
    ``whole`` goes on where the first pass ended, so that nothing is lost of what can be had once.

    Raises:
        UnreadableError: the code of the user raised, or gave something that is no batch.
    """
    states = states_now()

    def collect(stream: Iterator[Any]) -> list[dict[str, Any]]:
        with users_code(what):
            return [owned(as_batch(batch, f"--data {what!r}")) for batch in islice(stream, count)]

    def again() -> list[dict[str, Any]]:
        with _replayed(states):
            return collect(run())

    with users_code(what):
        first = iter(run())
    batches = collect(first)
    return BatchSource(batches, kind, notes, again if repeatable else None, lambda: chain(batches, first))


def anew(source: BatchSource, whole: Callable[[], Iterator[Any]], states: States, **more: Any) -> BatchSource:
    """The source with a ``whole`` that is a pass of its own, under the random numbers that were there before the first.

    Args:
        source: of two passes.
        whole: opens it.
        states: those numbers.
        more: further fields of the source.
    """

    def opened() -> Iterator[Any]:
        restore(states)
        return whole()

    return replace(source, whole=opened, **more)


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


def states_now() -> States:
    """Those of everybody's generators."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


@contextmanager
def _replayed(states: States) -> Iterator[None]:
    """Random crops and masks fall as they did before; afterwards everybody's generators are as they were."""
    now = states_now()
    restore(states)
    try:
        yield
    finally:
        restore(now)


def restore(states: States) -> None:
    """Have everybody's generators go on from there."""
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
