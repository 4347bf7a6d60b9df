"""A directory that ``datasets.Dataset.save_to_disk`` or that of a ``DatasetDict`` wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli import installation
from audioloss_cli.probe.data._loaders import from_dataset
from audioloss_cli.probe.data._source import BatchSource
from audioloss_cli.probe.data._splits import one_split
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError

_LONGEST = 300
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
    source = from_dataset(what, found, count)
    source.notes[:0] = notes
    return source


def _load(what: str) -> Any:
    try:
        import datasets  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415  # slow
    except ImportError as error:
        needs = "is a dataset on disk, which takes the package 'datasets'"
        raise EnvironmentalError(f"--data {what!r} {needs}: {installation.command('probe')}") from error
    try:
        _check_tables(Path(what))
        return datasets.load_from_disk(what).with_format("torch")  # copies what the files say, at any depth
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
        raise UnreadableError(
            f"--data {what!r}: the saved dataset is empty or damaged ({told}); save it again"
        ) from error


def _check_tables(where: Path) -> None:
    """Arrow ends the process where it slices an array that is shorter than it says; validation tells it before.

    Raises:
        Exception: a table is damaged, or lies elsewhere.
    """
    import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415  # of datasets

    splits = where / "dataset_dict.json"
    names = json.loads(splits.read_bytes())["splits"] if splits.is_file() else ["."]
    for directory in [where / _plain(name) for name in names]:
        state = json.loads((directory / "state.json").read_bytes())
        for item in [*(state.get("_data_files") or ()), *(state.get("_indices_files") or ())]:
            with pyarrow.memory_map(str(directory / _plain(item["filename"]))) as source:
                for batch in pyarrow.ipc.open_stream(source):
                    batch.validate(full=True)


def _plain(name: str) -> str:
    """The name of a file beside the others, as ``datasets`` writes it."""
    if Path(name).name != name and name != ".":
        raise ValueError(f"{name[:80]!r} lies elsewhere")
    return name
