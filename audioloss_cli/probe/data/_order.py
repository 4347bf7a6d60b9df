"""In which order a DataLoader takes the samples of its dataset, seen while its own workers are at work."""

import operator
from collections import deque
from collections.abc import Iterator, Sized
from typing import Any

from torch.utils.data import DataLoader


class _Recorded:
    """A sampler that writes down what it gives.

    Attributes:
        order: the sampler.
        places: gets the places of each batch as the loader asks for it, some batches ahead of what it has given; none
            of a batch whose samples are asked for by something else than numbers.
    """

    def __init__(self, order: Any, places: deque[list[int]]) -> None:
        self.order, self.places = order, places

    def __iter__(self) -> Iterator[Any]:
        for chunk in self.order:
            self.places.append(_numbers(chunk))
            yield chunk

    def __len__(self) -> int:
        return len(self.order)


def _numbers(chunk: Any) -> list[int]:
    """Of a list, a range, an array or a tensor, or of one number of any of these kinds."""
    several = isinstance(chunk, Sized) and getattr(chunk, "ndim", None) != 0 and not isinstance(chunk, (str, bytes))
    try:
        return [operator.index(each) for each in chunk] if several else [operator.index(chunk)]
    except TypeError:
        return []


def recorded(loader: DataLoader[Any], places: deque[list[int]]) -> Iterator[Any]:
    """The batches of a loader over a dataset with places; ``places`` gets those of each batch."""
    name = "sampler" if loader.batch_sampler is None else "batch_sampler"
    order = getattr(loader, name)
    loader.__dict__[name] = _Recorded(order, places)  # a loader refuses an assignment once it is made
    try:
        yield from loader
    finally:
        loader.__dict__[name] = order


def in_order(loader: DataLoader[Any]) -> bool:
    """Whether batches come in the order of the sampler."""
    return bool(getattr(loader, "in_order", True))


def length_of(loader: DataLoader[Any]) -> int | None:
    """How many batches it gives; None if it does not know."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError, AttributeError):
        return None
