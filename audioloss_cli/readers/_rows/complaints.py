"""Many defects of one kind as one with a count."""

from collections.abc import Iterator

from audioloss_cli.model import Defect
from audioloss_cli.model.series import DefectKind


class Complaints:
    """Collects what is wrong with single rows; each kind of trouble becomes one Defect, at its first row."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: dict[tuple[DefectKind, str], tuple[int, int, int]] = {}  # first line, last line, how many

    def add(self, kind: DefectKind, trouble: str, line: int) -> None:
        """Take note of a row: what is wrong with it, in the same words for each of a kind."""
        first, _, count = self._found.get((kind, trouble), (line, line, 0))
        self._found[kind, trouble] = first, line, count + 1

    def end(self) -> Iterator[Defect]:
        """Yield one Defect for each kind of trouble."""
        for (kind, trouble), (first, last, count) in self._found.items():
            more = f" (so are {count} rows up to line {last})" if count > 1 else ""
            yield Defect(self._path, kind, trouble + more, None, first)
        self._found = {}
