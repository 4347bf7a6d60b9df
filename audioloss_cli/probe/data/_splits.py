"""One split of a Hugging Face ``DatasetDict``."""

import sys
from typing import Any


def one_split(found: Any) -> tuple[Any, list[str]]:
    """The split ``train``, or else the first, and a sentence that says so; anything else as it is."""
    datasets = sys.modules.get("datasets")  # nobody can hold its objects who has not imported it
    if datasets is None or not isinstance(found, (datasets.DatasetDict, datasets.IterableDatasetDict)) or not found:
        return found, []
    name = "train" if "train" in found else next(iter(found))
    return found[name], [f"The split {name!r} was used, of {', '.join(map(str, found))}."]
