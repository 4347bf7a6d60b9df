"""Which columns a Trainer removes before its collator sees them."""

from collections.abc import Mapping, Sequence
from typing import Any


class WatchedCollator:
    """Stands before a collator that removes columns, and notes their names; it adds nothing to a batch.

    With worker processes of a DataLoader the names stay in the worker: nothing is known then.

    Attributes:
        dropped: names of columns that the collator's features had and the batch has not.
    """

    def __init__(self, loader: Any, collator: Any) -> None:
        self._loader, self._collator = loader, collator
        self.dropped: tuple[str, ...] = ()

    def __call__(self, features: Sequence[Any]) -> Any:
        """What the collator makes of them."""
        if not self.dropped:
            kept = set(self._collator.signature_columns)
            names = {str(key) for each in features[:1] if isinstance(each, Mapping) for key in each}
            self.dropped = tuple(sorted(names - kept))
        return self._collator(features)

    def __getstate__(self) -> dict[str, Any]:
        """For a worker process, without the loader that starts it."""
        return {"_loader": None, "_collator": self._collator, "dropped": self.dropped}

    def let_go(self) -> None:
        """Put the collator back in its place."""
        if getattr(self._loader, "collate_fn", None) is self:
            self._loader.collate_fn = self._collator


def watch_collator(loader: Any) -> WatchedCollator | None:
    """Watch the collator of a loader, if it is one that removes columns (``transformers.RemoveColumnsCollator``)."""
    loader = getattr(loader, "base_dataloader", loader)  # Accelerate's loader hands on what is read, not what is set
    collator = getattr(loader, "collate_fn", None)
    if not hasattr(collator, "signature_columns"):
        return None
    watched = WatchedCollator(loader, collator)
    loader.collate_fn = watched
    return watched
