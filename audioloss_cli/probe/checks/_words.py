"""Phrases that several checks share; a private module is no plugin."""

from collections.abc import Iterable, Iterator

from torch import Tensor

from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Field


def listed(items: Iterable[object], most: int = 6) -> str:
    """``a, b and 3 more``."""
    names = [str(item) for item in items]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def percent(share: float) -> str:
    """A share of one, in percent with as many digits as it needs."""
    return f"{100 * share:.3g} %"


def nats(value: float) -> str:
    """A cross entropy."""
    return f"{value:.4g}"


def shape_of(value: object) -> str:
    """``[2, 68, 8]``."""
    return str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__


def first_true(flags: Tensor) -> tuple[int, ...]:
    """Index of the first true cell, row-major; there must be one."""
    place = int(flags.flatten().int().argmax())
    index = []
    for size in reversed(flags.shape):
        index.append(place % size)
        place //= size
    return tuple(reversed(index))


def embedded(evidence: Evidence) -> Iterator[tuple[Field, Tensor]]:
    """Fields that the model looks up cell by cell, where they hold integers of the layout's shape."""
    for item in evidence.layout.fields:
        found = evidence.batch.get(item.name) if item.embedded else None
        if isinstance(found, Tensor) and found.ndim == item.dimensions and found.numel() and _is_whole(found):
            yield item, found.long()


def _is_whole(found: Tensor) -> bool:
    return not found.is_floating_point() and not found.is_complex()
