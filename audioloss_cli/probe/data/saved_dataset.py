"""A directory that ``datasets.Dataset.save_to_disk`` or that of a ``DatasetDict`` wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.probe.data._loaders import from_dataset
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.data._splits import one_split
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError

PRECEDENCE = 0
TAKES_ARGUMENTS = False


def claims(what: str) -> bool:
    """By the files that it always holds."""
    where = Path(what)
    one = (where / "dataset_info.json").is_file() and (where / "state.json").is_file()
    return one or (where / "dataset_dict.json").is_file()


def read(what: str, arguments: Mapping[str, Any], count: int) -> BatchSource:
    """Its samples as tensors, stacked; nothing is fetched from anywhere.

    Raises:
        UnreadableError: it is damaged, holds no rows, or its samples differ in length.
        EnvironmentalError: the package ``datasets`` is missing.
    """
    found, notes = one_split(_load(what))
    source = from_dataset(what, found.with_format("torch"), count)
    source.notes[:0] = notes
    return source


def _load(what: str) -> Any:
    try:
        import datasets  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415  # slow
    except ImportError as error:
        needs = "is a dataset on disk, which takes the package 'datasets'"
        raise EnvironmentalError(f"--data {what!r} {needs}: pip install 'audioloss-cli[probe]'") from error
    try:
        return datasets.load_from_disk(what)
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UnreadableError(
            f"--data {what!r}: the saved dataset is empty or damaged ({told}); save it again"
        ) from error
