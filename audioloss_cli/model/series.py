"""What readers yield: chunks of a scalar series, and defects of the file they came from."""

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from audioloss_cli.model.columns import lies_in_a_file

# A value that the log names but does not hold (JSON null) must survive next to NaN in a float64 buffer. As R does for
# NA_real_, it is one particular quiet NaN, told apart by its payload (R spells 1954; so do we).
_MISSING_BITS = 0x7FF8_0000_0000_07A2
MISSING: float = struct.unpack("<d", struct.pack("<Q", _MISSING_BITS))[0]

StepSource = Literal["step", "epoch", "line", "ordinal"]


def is_missing(value: float) -> bool:
    """Whether a float64 is ``MISSING`` rather than a number or an ordinary NaN."""
    return value != value and struct.unpack("<Q", struct.pack("<d", value))[0] == _MISSING_BITS  # noqa: PLR0124  # NaN


@dataclass(slots=True)
class Series:
    """A chunk of one scalar series in the order of the log.

    Attributes:
        tag: name of the scalar, as logged.
        steps: int64 training steps; they may repeat and may go back. Of a very long series, all three buffers are
            ``LongColumn``, which lie in a file; slices of them are ``array.array``.
        values: float64; ``MISSING`` where the log has a null.
        wall_times: float64 Unix seconds, NaN where the log has none; all NaN if left out.
        restarts: indexes of the first point after each restart that the writer itself marked.
        step_source: where the steps come from: the log's step, its epoch, the line number, or the point's ordinal.
        run: name of the run inside the file, for a format that keeps several in one; else empty.

    Raises:
        ValueError: the three buffers are not equally long.
    """

    tag: str
    steps: Sequence[int] = field(default_factory=lambda: array("q"))
    values: Sequence[float] = field(default_factory=lambda: array("d"))
    wall_times: Sequence[float] = field(default_factory=lambda: array("d"))
    restarts: list[int] = field(default_factory=list)
    step_source: StepSource = "step"
    run: str = ""

    def __post_init__(self) -> None:
        if len(self.values) and not len(self.wall_times):
            self.wall_times = array("d", [float("nan")]) * len(self.values)
        if not len(self.steps) == len(self.values) == len(self.wall_times):
            raise ValueError(
                f"{self.tag!r} has {len(self.steps)} steps, {len(self.values)} values and {len(self.wall_times)} times"
            )

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def join(cls, chunks: Iterable["Series"]) -> "Series":
        """One series from the chunks of one tag, in order.

        Raises:
            ValueError: no chunk.
        """
        parts = list(chunks)
        if not parts:
            raise ValueError("no chunks to join")
        if len(parts) == 1:
            return parts[0]
        whole = cls(parts[0].tag, step_source=parts[0].step_source, run=parts[0].run)
        for part in parts:
            whole.extend(part)
        return whole

    def part(self, start: int, end: int) -> "Series":
        """The points from ``start`` up to before ``end``; a part that is all is the series itself."""
        if start <= 0 and end >= len(self):
            return self
        columns = (self.steps[start:end], self.values[start:end], self.wall_times[start:end])
        restarts = [index - start for index in self.restarts if start <= index < end]
        return Series(self.tag, *columns, restarts, self.step_source, self.run)

    def extend(self, chunk: "Series") -> None:
        """Add the next chunk to a series whose buffers are ``array.array`` or ``LongColumn``."""
        self.restarts.extend(len(self.values) + index for index in chunk.restarts)
        _extend(self.steps, chunk.steps)
        _extend(self.values, chunk.values)
        _extend(self.wall_times, chunk.wall_times)


def _extend(buffer: Any, column: Any) -> None:
    """A numpy array (int64 or float64) is taken as bytes: a step through its numbers costs ten times as much."""
    if lies_in_a_file(buffer):
        buffer.append(column)
    elif hasattr(column, "dtype"):
        buffer.frombytes(column.tobytes())
    else:
        buffer.extend(column)


Columns = tuple["array[int]", "array[float]", "array[float]", list[int]]


class SeriesCollector:
    """The series of one log under construction, point by point.

    Attributes:
        points: number of points since the last ``flush``.
    """

    def __init__(
        self, step_source: StepSource = "step", run: str = "", wants: Callable[[str], bool] | None = None
    ) -> None:
        self.points = 0
        self._step_source = step_source
        self._run = run
        self._wants = wants  # whether the points of a tag are to be kept; all if None
        self._series: dict[str, Columns] = {}
        self._names: dict[str, bool] = {}  # of tags whose points are not; whether they were handed over

    def append(self, tag: str, step: int, value: float, wall_time: float, *, restarted: bool = False) -> None:
        """Add a point; ``restarted`` if the writer says that training restarted before it.

        Raises:
            OverflowError: the step does not fit in int64.
        """
        columns = self.columns(tag, restarted=restarted)
        if columns is None:
            return
        columns[0].append(step)
        columns[1].append(value)
        columns[2].append(wall_time)
        self.points += 1

    def extend(self, tag: str, steps: Any, values: Any, wall_times: Any, *, restarted: bool = False) -> None:
        """Add points: numpy columns, int64 steps, float64 values and wall times; ``restarted`` before the first."""
        columns = self.columns(tag, restarted=restarted)
        if columns is None:
            return
        _extend(columns[0], steps)
        _extend(columns[1], values)
        _extend(columns[2], wall_times)
        self.points += len(values)

    def columns(self, tag: str, *, restarted: bool = False) -> Columns | None:
        """Steps, values and wall times of a tag since the last ``flush``, and its restarts; None if it is not wanted.

        Whoever appends to them counts the ``points``.
        """
        columns = self._series.get(tag) or self._begin(tag)
        if restarted and columns is not None:
            columns[3].append(len(columns[1]))
        return columns

    def _begin(self, tag: str) -> Columns | None:
        """Columns for a new chunk of a tag; None if its points are not wanted."""
        if tag in self._names:
            return None
        if self._wants is not None and not self._wants(tag):
            self._names[tag] = False
            return None
        columns = self._series[tag] = (array("q"), array("d"), array("d"), [])
        return columns

    def flush(self) -> Iterator[Series]:
        """Hand over what was collected, in the order in which the tags first appeared; then the bare names."""
        for tag, columns in self._series.items():
            yield Series(tag, *columns, step_source=self._step_source, run=self._run)
        for tag in [tag for tag, told in self._names.items() if not told]:
            self._names[tag] = True
            yield Series(tag, step_source=self._step_source, run=self._run)
        self._series = {}
        self.points = 0


# A reader flushes its collector once it holds this many points, so that memory does not grow with the file.
POINTS_OF_A_CHUNK = 1 << 18

# The remedy for a log that ends in the middle of something.
UNFINISHED = "if the run is still writing, scan again or pass --allow-defects"

DefectKind = Literal[
    "truncated", "checksum", "framing", "malformed", "encoding", "compression", "not-a-log", "unreadable"
]


@dataclass(frozen=True, slots=True)
class Note:
    """How a file was read, where its format leaves that open: what was taken for the step and for the losses.

    Attributes:
        path: the file.
        message: one sentence, which -v shows.
    """

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a file that could not be read; everything around it was.

    Attributes:
        path: the file.
        kind: ``truncated`` (ends inside a record), ``checksum`` (bytes changed), ``framing`` (a record's length cannot
            be trusted), ``malformed`` (well-framed, but not what the format says), ``encoding``, ``compression``,
            ``not-a-log`` (the name promises a log, the content is something else), ``unreadable`` (the system refused).
        message: what is wrong, and the remedy where there is one.
        offset: byte at which the trouble starts (in the decompressed stream for a compressed file), where known.
        line: 1-based line number, for formats made of lines.
    """

    path: str
    kind: DefectKind
    message: str
    offset: int | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """``path``, with the line or the byte offset where one is known."""
        if self.line is not None:
            return f"{self.path}:{self.line}"
        return self.path if self.offset is None else f"{self.path} at byte {self.offset}"
