"""Which bytes are read for which tensors, by how many threads, and what could not be read."""

import math
import threading
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import google_crc32c

from audioloss_cli.checkpoints.health import HealthReport, Progress, TensorStatistics
from audioloss_cli.checkpoints.health.elements import PARTS
from audioloss_cli.checkpoints.health.pieces import (
    PIECE,
    Axis,
    Reader,
    UnreadableValuesError,
    axes_of,
    count_of,
    in_memory_order,
    is_dense,
    ordered_pieces,
    pieces,
)
from audioloss_cli.checkpoints.health.rows import RowFaults, Rows, has_rows
from audioloss_cli.checkpoints.health.sums import Sums, sums_for
from audioloss_cli.checkpoints.stored import ITEMSIZES, Fault, StoredTensor
from audioloss_cli.model import Severity

CODE = "unread-values"
_SEGMENT = 128 * PIECE  # of a tensor, for one thread
_LEAST_ALLOWED = 128 * PIECE
_VIEWS = 16  # how many times the bytes of a file may be asked for: tensors may share them
_INFLATED = 1200  # times a compressed file: deflate reaches 1032


@dataclass(slots=True)
class _View:
    """Bytes that one or more tensors have in common, and what was found in them."""

    tensor: StoredTensor
    names: list[str]
    axes: list[Axis] = field(default_factory=list)
    sums: Sums | None = None
    rows: RowFaults = field(default_factory=RowFaults)
    digest: str = ""
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one thread does at once: a view from one ordinal to another."""

    view: _View
    first: int
    last: int


@dataclass(slots=True)
class Examination:
    """Reads the values of tensors.

    Attributes:
        rows_of: names whose rows are looked at.
        quick: only NaN, infinity and zero.
        digests: whether digests are asked for.
        progress: called under a lock.
    """

    rows_of: Collection[str] = ()
    quick: bool = False
    digests: bool = False
    progress: Progress | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: int = 0
    _total: int = 0

    def run(self, tensors: Mapping[str, StoredTensor], jobs: int) -> HealthReport:
        """Read them, with so many threads, and return what was found."""
        report, views = HealthReport(), list(_views(tensors))
        unknown = sorted(name for name, tensor in tensors.items() if tensor.dtype not in ITEMSIZES)
        if unknown:
            report.faults.append(_unknown(unknown, tensors))
        _check_amounts(views)
        self._total = sum(view.tensor.nbytes for view in views)
        tasks = deque(task for view in views if not view.complaint for task in self._tasks_of(view))
        if jobs > 1:
            with ThreadPoolExecutor(jobs) as pool:
                for done in [pool.submit(self._work, tasks) for _ in range(jobs)]:
                    done.result()
        else:
            self._work(tasks)
        for view in views:
            self._tell(view, report)
        return report

    def _tasks_of(self, view: _View) -> Iterator[_Task]:
        """Cut a large tensor into segments, unless it is to be read in its order from end to end."""
        count = count_of(view.axes)
        is_whole = self.digests or self._wants_rows(view) or view.tensor.entry or view.tensor.pieces
        step = count if is_whole or not is_dense(view.axes) else _SEGMENT // ITEMSIZES[view.tensor.dtype]
        yield from (_Task(view, first, min(first + step, count)) for first in range(0, count, step))

    def _wants_rows(self, view: _View) -> bool:
        return has_rows(view.tensor) and view.tensor.is_in_order and any(name in self.rows_of for name in view.names)

    def _work(self, tasks: deque[_Task]) -> None:
        try:
            with Reader() as reader:
                while True:
                    try:
                        task = tasks.popleft()
                    except IndexError:
                        return
                    try:
                        self._examine(task, reader)
                    except UnreadableValuesError as error:
                        task.view.complaint = str(error)
        except BaseException:
            tasks.clear()  # so that the other threads end as well
            raise

    def _examine(self, task: _Task, reader: Reader) -> None:
        view, tensor = task.view, task.view.tensor
        rows = Rows(tensor) if self._wants_rows(view) else None
        ordered = rows is not None or self.digests
        axes = axes_of(tensor) if ordered else view.axes
        found = ordered_pieces(tensor, reader, axes) if ordered else pieces(tensor, reader, axes, task.first, task.last)
        sums, digest = sums_for(tensor.dtype, axes, quick=self.quick), (0, 0)
        repeats = _repeats(tensor)
        for first, values in found:
            sums.add(first, values)
            if rows:
                rows.add(values)
            if self.digests:
                data = values.tobytes()
                digest = google_crc32c.extend(digest[0], data), crc32(data, digest[1])
            self._advance(values.nbytes * repeats, tensor.name)
        with self._lock:
            if view.sums is None:
                view.sums = sums
            else:
                view.sums.merge(sums)
        if rows:
            view.rows = rows.faults()
        if self.digests:
            view.digest = f"{digest[0]:08x}{digest[1]:08x}"

    def _advance(self, nbytes: int, name: str) -> None:
        if self.progress:
            with self._lock:
                self._done += nbytes
                self.progress(self._done, self._total, name)

    def _tell(self, view: _View, report: HealthReport) -> None:
        tensor = view.tensor
        if view.complaint:
            text = f"the values of {_named(view.names)} could not be read: {view.complaint}"
            evidence = {"tensors": view.names, "file": str(tensor.file)}
            report.faults.append(Fault(CODE, Severity.CRITICAL, text, evidence))
            return
        if view.sums is None:
            found = TensorStatistics(tensor.elements)
        else:
            parts = 2 if tensor.dtype in PARTS else 1
            found = view.sums.statistics(tensor.elements * parts, _repeats(tensor))
        if not tensor.is_in_order:
            found = replace(found, first_bad=-1)
        rows = view.rows
        found = replace(
            found,
            dead_rows=rows.dead_rows,
            twin_rows=rows.twin_rows,
            dead=rows.dead,
            twins=rows.twins,
            digest=view.digest,
        )
        report.statistics.update(dict.fromkeys(view.names, found))


def _views(tensors: Mapping[str, StoredTensor]) -> Iterator[_View]:
    """Take tensors together that are the same bytes in the same order; in the order of files and offsets."""
    found = defaultdict[tuple[Any, ...], list[str]](list)
    for name, tensor in tensors.items():
        if tensor.dtype in ITEMSIZES:
            parts = tuple(_bytes_of(part) for part in tensor.pieces)
            found[_bytes_of(tensor), parts, tensor.is_in_order].append(name)
    for key in sorted(found):
        tensor = tensors[found[key][0]]
        view = _View(tensor, found[key])
        try:
            view.axes = in_memory_order(axes_of(tensor)) if tensor.elements else [Axis(0, 1, 1)]
        except UnreadableValuesError as error:
            view.complaint = str(error)
        yield view


def _bytes_of(tensor: StoredTensor) -> tuple[Any, ...]:
    """Return what tells whether two tensors are the same bytes, in an order in which a file is read from end to end."""
    return str(tensor.file), tensor.entry, tensor.offset, tensor.dtype, tensor.shape, tensor.strides or ()


def _check_amounts(views: list[_View]) -> None:
    """Refuse what would read a file far more often than it is long: views of it may overlap in any number."""
    asked, allowed = defaultdict[Path, int](int), dict[Path, int]()
    for view in views:
        for part in view.tensor.pieces or (view.tensor,):
            path = part.file
            if path not in allowed:
                allowed[path] = max(_VIEWS * _size_of(path), _LEAST_ALLOWED)
            most = allowed[path] * (_INFLATED if part.entry else 1)
            nbytes = part.nbytes if view.tensor.pieces else count_of(view.axes) * ITEMSIZES[part.dtype]
            if asked[path] + nbytes > most:
                view.complaint = view.complaint or f"tensors of {path} ask for more than {_VIEWS} times its bytes"
            else:
                asked[path] += nbytes


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _repeats(tensor: StoredTensor) -> int:
    """Return how many times a tensor has each of its elements that lie in the file."""
    strides = tensor.strides or ()
    return math.prod(size for size, stride in zip(tensor.shape, strides, strict=False) if stride == 0)


def _unknown(names: list[str], tensors: Mapping[str, StoredTensor]) -> Fault:
    dtypes = sorted({tensors[name].dtype for name in names})
    text = f"values of the dtype {', '.join(dtypes)} are not read: {_named(names)}"
    return Fault(CODE, Severity.INFO, text, {"tensors": names, "dtypes": dtypes})


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
