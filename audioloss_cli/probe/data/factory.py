"""``package.module:factory``: the user's own DataLoader, dataset, batches or batch."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from audioloss_cli.probe.data._blame import users_code
from audioloss_cli.probe.data._loaders import from_dataset, from_loader, from_stream
from audioloss_cli.probe.data._named import as_batch, is_batch, owned
from audioloss_cli.probe.data._passes import reopened, two_passes
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.data._splits import one_split
from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.imports import call_factory, import_factory

PRECEDENCE = 2
TAKES_ARGUMENTS = True


def claims(what: str) -> bool:
    """By its colon; a file of that name comes first, and an address is none."""
    return ":" in what and "://" not in what and not Path(what).exists()


def read(what: str, arguments: Mapping[str, Any], count: int) -> BatchSource:
    """Call the factory and take what it gives.

    Raises:
        UsageError: the import string is wrong, the factory failed, or gave something of another kind.
        UnreadableError: the data that it gave raised, or holds no batches.
    """
    with users_code(what):
        found = call_factory(import_factory(what, "--data"), arguments, what, "--data")
    found, notes = one_split(found)
    source = _source(what, found, count)
    source.notes[:0] = notes
    return source


def _source(what: str, found: Any, count: int) -> BatchSource:
    if isinstance(found, DataLoader):
        return from_loader(what, found, count)
    if isinstance(found, IterableDataset):
        return from_stream(what, found, count)
    if _is_dataset(found):
        return from_dataset(what, found, count)
    iterable = isinstance(found, Iterable) and not isinstance(found, (str, bytes, Tensor, np.ndarray))
    with users_code(what):
        named = is_batch(found)
    if iterable and not named:
        return _from_iterable(what, found, count)
    with users_code(what):
        if named:
            return BatchSource([owned(as_batch(found, f"--data {what!r}"))], "one batch", [])
    kinds = "a DataLoader, a dataset, an iterable of batches or one batch"
    raise UsageError(f"--data {what!r} gave a {type(found).__name__}; it must give {kinds}")


def _is_dataset(found: Any) -> bool:
    """Torch's own class, or what looks like it: Hugging Face datasets do not inherit from it."""
    if isinstance(found, Dataset):
        return True
    plain = isinstance(found, (Mapping, list, tuple, str, bytes, Tensor, np.ndarray)) or hasattr(found, "keys")
    return not plain and hasattr(found, "__getitem__") and hasattr(found, "__len__")


def _from_iterable(what: str, found: Iterable[Any], count: int) -> BatchSource:
    kind = f"batches of a {type(found).__name__}"
    return two_passes(reopened(found), what, count, kind, [], repeatable=not isinstance(found, Iterator))
