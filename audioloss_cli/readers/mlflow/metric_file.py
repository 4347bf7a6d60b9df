"""One metric of a run in MLflow's file store: lines of milliseconds, value and step; its name is its path.

Releases before 1.0 wrote no step. What later ones write behind it names data sets and models.
"""

import re
from array import array
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from audioloss_cli.model import Defect, ReadOptions, Series, SeriesCollector, series
from audioloss_cli.model.series import UNFINISHED
from audioloss_cli.storage.log_file import LogFile

_METRICS, _META, _STORE, _MODELS = "metrics", "meta.yaml", "mlruns", "models"
_DELETED = re.compile(rb"^lifecycle_stage: *['\"]?deleted\b", re.MULTILINE)
_META_BYTES = 1 << 16
_NUMBER = rb"[-+]?(?:[\d.]{1,40}(?:[eE][-+]?\d{1,5})?|nan|inf|infinity)"
_LINE = re.compile(rb"(-?\d{1,19}) (%b)(?: (-?\d{1,19})(?: .{0,4000})?)?\r?\n?" % _NUMBER, re.IGNORECASE)
_USUAL_LINES = re.compile(rb"(?:-?\d{1,19} %b -?\d{1,18}\n)+" % _NUMBER, re.IGNORECASE)
_LEAST_DIGITS = 10  # of the time in the first line of a file that nothing else tells to be a metric
_BLOCK_BYTES, _LONGEST_LINE = 1 << 18, 1 << 16
_MILLISECONDS_FROM = 1e11  # as in _rows.numbers: a time below is in seconds
_MOST_DEFECTS = 100


def run_directory(path: Path) -> Path | None:
    """Return the directory of the run that a metric is of; None if the file is none of a file store."""
    return next((path.parents[depth] for depth in _depths(path)), None)


def _depths(path: Path) -> Iterator[int]:
    """Yield how far above a file its run may be, the likeliest first: a metric may be called ``metrics/x``."""
    depths = [depth + 1 for depth, parent in enumerate(list(path.parents)[:-1]) if parent.name == _METRICS]
    yield from (depth for depth in depths if (path.parents[depth] / _META).is_file())
    yield from (
        depth for depth in depths if len(path.parents) > depth + 2 and path.parents[depth + 1].parent.name == _STORE
    )
    yield from depths[-1:]


def is_metric(file: LogFile) -> bool:
    """Tell by the place, and by the first line where the run has no ``meta.yaml``; no metric of a deleted run is one.

    The metrics of a logged model are those of its run once more.

    Raises:
        OSError: the file cannot be opened or read.
    """
    run = run_directory(file.path)
    if run is None or run.parent.name == _MODELS or file.path.name.startswith("."):
        return False
    meta = run / _META
    if meta.is_file():
        with meta.open("rb") as stream:
            return not _DELETED.search(stream.read(_META_BYTES))
    first = _LINE.fullmatch(file.lines[0]) if file.lines else None
    return first is not None and len(first[1]) >= _LEAST_DIGITS


def read_metric(path: Path, options: ReadOptions) -> Iterator[Series | Defect]:
    """Yield the points of a metric, and a Defect for each stretch of lines that are none.

    Raises:
        OSError: the file cannot be opened or read.
    """
    run = run_directory(path)
    tag = path.name if run is None else path.relative_to(run / _METRICS).as_posix()
    metric = _Metric(path, tag, SeriesCollector(wants=options.wanted))
    with path.open("rb") as stream:
        yield from metric.items(stream)


class _Metric:
    """One file, line by line.

    Args:
        path: for defects.
        tag: its name.
        points: where its points go.
    """

    def __init__(self, path: Path, tag: str, points: SeriesCollector) -> None:
        self._path, self._tag, self._points = path, tag, points
        self._line, self._offset = 1, 0  # of what comes next
        self._bad: tuple[int, int, int] | None = None  # a stretch of bad lines: the first, its offset, the last
        self._defects = 0

    def items(self, stream: BufferedReader) -> Iterator[Series | Defect]:
        """Yield the points in chunks, and the defects."""
        while block := stream.read(_BLOCK_BYTES):
            block += stream.readline(_LONGEST_LINE)
            if series.POINTS_OF_A_CHUNK > _BLOCK_BYTES // 2 and _USUAL_LINES.fullmatch(block):
                self._take_all(block)
                yield from self._flush()
                continue
            for line in block.splitlines(keepends=True):
                yield from self._take(line)
                yield from self._flush()
        yield from self._tell()
        yield from self._points.flush()
        if self._defects > _MOST_DEFECTS:
            message = f"{self._defects - _MOST_DEFECTS} more stretches of lines are no metric"
            yield Defect(str(self._path), "malformed", message)

    def _take_all(self, block: bytes) -> None:
        """Take in lines that all have a time, a value and a step."""
        words = block.split()
        times = [time / 1e3 if time >= _MILLISECONDS_FROM else float(time) for time in map(int, words[0::3])]
        steps, values = array("q", map(int, words[2::3])), array("d", map(float, words[1::3]))
        columns = self._points.columns(self._tag)
        self._line, self._offset = self._line + len(steps), self._offset + len(block)
        if columns is not None:
            columns[0].extend(steps)
            columns[1].extend(values)
            columns[2].extend(array("d", times))
            self._points.points += len(steps)

    def _take(self, line: bytes) -> Iterator[Defect]:
        found = _LINE.fullmatch(line)
        is_cut = not line.endswith(b"\n") and found is not None and found[3] is None
        try:
            if found is None or is_cut:
                raise ValueError("no metric")  # noqa: TRY301  # as a value is that float refuses
            time, value, step = int(found[1]), float(found[2]), int(found[3] or 0)
            self._points.append(self._tag, step, value, time / 1e3 if time >= _MILLISECONDS_FROM else float(time))
            yield from self._tell()
        except (ValueError, OverflowError):
            if line.strip():
                first = self._bad or (self._line, self._offset, 0)
                self._bad = (first[0], first[1], self._line)
        self._line += 1
        self._offset += len(line)

    def _tell(self) -> Iterator[Defect]:
        """Yield the Defect of the bad lines that came last, if there were any."""
        if self._bad is None:
            return
        (first, offset, last), self._bad = self._bad, None
        self._defects += 1
        if self._defects <= _MOST_DEFECTS:
            lines = "the line is" if first == last else f"the lines up to {last} are"
            message = f"{lines} not of the form: milliseconds, value, step; {UNFINISHED}"
            yield Defect(str(self._path), "malformed", message, offset, first)

    def _flush(self) -> Iterator[Series]:
        if self._points.points >= series.POINTS_OF_A_CHUNK:
            yield from self._points.flush()
