"""What tests of console output have in common."""

from pathlib import Path

from audioloss_cli import registry
from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

TEXT = registry.load("readers", "text")

Points = dict[str, list[tuple[int, float]]]


def write(directory: Path, content: str | bytes, name: str = "train.log") -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def series(path: Path, options: ReadOptions = EVERYTHING) -> dict[tuple[str, str], Series]:
    """Whole series by run and tag."""
    chunks: dict[tuple[str, str], list[Series]] = {}
    for item in TEXT.read(path, options):
        if isinstance(item, Series):
            chunks.setdefault((item.run, item.tag), []).append(item)
    return {key: Series.join(parts) for key, parts in chunks.items()}


def points(path: Path, options: ReadOptions = EVERYTHING) -> Points:
    """Steps and values by tag, of rank 0."""
    found = series(path, options)
    return {tag: list(zip(item.steps, item.values, strict=True)) for (run, tag), item in found.items() if not run}


def defects(path: Path, options: ReadOptions = EVERYTHING) -> list[Defect]:
    return [item for item in TEXT.read(path, options) if isinstance(item, Defect)]


def claimed(path: Path) -> bool:
    return TEXT.claims(LogFile(path))
