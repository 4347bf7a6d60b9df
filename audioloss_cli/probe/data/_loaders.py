"""Batches of a DataLoader or a dataset, collated in this process, where a write into a cached sample shows.

The order of index, fetch and collate is that of torch/utils/data/_utils/fetch.py (torch 2.13).
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from itertools import count as count_from
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from audioloss_cli.probe.data._blame import users_code
from audioloss_cli.probe.data._named import as_batch, is_batch
from audioloss_cli.probe.data._order import in_order, length_of, recorded
from audioloss_cli.probe.data._passes import anew, reopened, states_now, two_passes
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.data._stack import stack

_SAMPLES = 2  # a batch, where nobody says: the fewest that show padding
_COLLATORS = ("collate_fn", "collator", "collater")
_TEXT = ("input_ids", "attention_mask", "labels")

Collate = Callable[[list[Any]], Any]


def from_loader(what: str, loader: DataLoader[Any], count: int) -> BatchSource:
    """The loader's own indices, dataset and collate_fn, without its workers.

    Raises:
        UnreadableError: the dataset, its sampler or its collator raised.
    """
    kind, notes = f"DataLoader over {type(loader.dataset).__name__}", []
    if type(loader).__iter__ is not DataLoader.__iter__:
        notes.append(f"{type(loader).__name__} has an __iter__ of its own, so its samples cannot be collated twice.")
        return two_passes(lambda: iter(loader), what, count, kind, notes, repeatable=False)
    told = f"num_workers={loader.num_workers} was not used: the samples were collated in this process."
    aside, states = [told] if loader.num_workers else [], states_now()
    if isinstance(loader.dataset, IterableDataset):
        opened, once = reopened(loader.dataset), isinstance(loader.dataset, Iterator)
        source = two_passes(lambda: _streamed(loader, opened()), what, count, kind, notes, repeatable=not once)
        with users_code(what):
            goes_on = once or iter(loader.dataset) is iter(loader.dataset)
        if goes_on:  # a pass of its own would begin behind the first batches
            return replace(source, first_notes=aside, total=length_of(loader))
        return anew(source, lambda: iter(loader), states, total=length_of(loader), first_notes=aside)
    order = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    once = isinstance(order, Iterator)
    with users_code(what):
        indices = list(islice(order, count))
    fetch = _fetch_one if loader.batch_sampler is None else _fetch
    run = lambda: (loader.collate_fn(fetch(loader.dataset, i)) for i in indices)  # noqa: E731
    source = two_passes(run, what, count, kind, notes)
    if once:
        return replace(source, whole=lambda: chain(source.batches, loader), total=length_of(loader), first_notes=aside)
    places = deque[list[int]]()
    more: dict[str, Any] = {
        "total": length_of(loader),
        "first_notes": aside,
        "order": places if in_order(loader) else None,
    }
    more["with_replacement"] = bool(getattr(loader.sampler, "replacement", False))
    return anew(source, lambda: recorded(loader, places), states, **more)


def from_dataset(what: str, dataset: Any, count: int) -> BatchSource:
    """Single samples in their order, made into batches by the dataset's own collator or else by stacking.

    Raises:
        UnreadableError: the dataset or its collator raised, or the samples cannot be stacked.
    """
    collate, notes = _collate_of(dataset, what)
    with users_code(what):
        size = len(dataset) if hasattr(dataset, "__len__") else None

    def run(places: deque[list[int]] | None = None) -> Iterator[Any]:
        for start in count_from(0, _SAMPLES) if size is None else range(0, size, _SAMPLES):
            chunk = list(range(start, start + _SAMPLES if size is None else min(start + _SAMPLES, size)))
            try:
                samples = _fetch(dataset, chunk)
            except IndexError:
                if size is None:  # how Python ends what has no length
                    return
                raise
            if places is not None:
                places.append(chunk)
            yield collate(samples)

    order, states = deque[list[int]](), states_now()
    source = two_passes(run, what, count, f"dataset {type(dataset).__name__}", notes)
    total = None if size is None else -(-size // _SAMPLES)
    return anew(source, lambda: run(order), states, total=total, order=order)


def from_stream(what: str, dataset: Any, count: int) -> BatchSource:
    """An iterable dataset; what it gives is used as it is, unless it has a collator or gives single samples.

    Raises:
        UnreadableError: as ``from_dataset``.
    """
    notes: list[str] = []
    opened = reopened(dataset)

    def batches() -> Iterator[Any]:
        stream = opened()
        first = list(islice(stream, 1))
        collate, told = _collate_of(dataset, what)
        if _own(dataset) is None and not (first and _is_sample(first[0])):
            yield from chain(first, stream)
            return
        notes.extend(sentence for sentence in told if sentence not in notes)
        yield from _chunks(chain(first, stream), _SAMPLES, collate)

    once = isinstance(dataset, Iterator)
    return two_passes(batches, what, count, f"stream {type(dataset).__name__}", notes, repeatable=not once)


def _own(dataset: Any) -> Collate | None:
    found = (getattr(dataset, name, None) for name in _COLLATORS)
    return next((collate for collate in found if callable(collate)), None)


def _collate_of(dataset: Any, what: str) -> tuple[Collate, list[str]]:
    own = _own(dataset)
    if own is not None:
        return own, [f"The dataset's own collator made batches of {_SAMPLES} samples."]
    note = f"The dataset has no collator: {_SAMPLES} samples a batch were stacked by torch's default_collate."
    return lambda samples: stack([as_batch(item, f"--data {what!r}") for item in samples], what), [note]


def _streamed(loader: DataLoader[Any], stream: Iterator[Any]) -> Iterator[Any]:
    if loader.batch_size is None:
        return (loader.collate_fn(sample) for sample in stream)
    return _chunks(stream, loader.batch_size, loader.collate_fn, drop_last=loader.drop_last)


def _chunks(stream: Iterator[Any], size: int, collate: Collate, *, drop_last: bool = False) -> Iterator[Any]:
    while samples := list(islice(stream, size)):
        if drop_last and len(samples) < size:
            return
        yield collate(samples)


def _fetch(dataset: Any, indices: Any) -> list[Any]:
    at_once = getattr(dataset, "__getitems__", None)
    return at_once(indices) if at_once else [dataset[index] for index in indices]


def _fetch_one(dataset: Any, index: Any) -> Any:
    return dataset[index]


def _is_sample(value: Any) -> bool:
    """A batch has text of two axes; a sample has one, and so has all of it where no text tells."""
    if not is_batch(value):
        return False
    entries = {name: _axes(item) for name, item in as_batch(value, "").items()}
    text = [axes for name, axes in entries.items() if name in _TEXT and axes]
    return bool(text and max(text) == 1) or max(entries.values(), default=2) <= 1


def _axes(value: Any) -> int:
    if isinstance(value, Tensor) or hasattr(value, "ndim"):
        return int(value.ndim)
    return 1 + (_axes(value[0]) if value else 0) if isinstance(value, (list, tuple)) else 0
