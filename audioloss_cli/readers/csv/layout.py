"""How a table is written, told by its first lines: what parts the cells, decimal commas, what the columns are."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from audioloss_cli.naming import Role, classify
from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers._rows import Row, row_of
from audioloss_cli.readers._rows.numbers import number
from audioloss_cli.readers._rows.steps import is_time

_DELIMITERS = ",;\t|"
_SAMPLE = 20
_LONGEST_PREAMBLE = 20
_MOST_TO_JUDGE_BY, MOST_COLUMNS = 1024, 1 << 14
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_PREAMBLE = re.compile(rb"(?:#.*|\"?sep=.\"?)?", re.DOTALL)
_EMPTY, _NULL = {"", "na", "n/a", "-"}, {"none", "null"}
_INDEX = re.compile(r"Unnamed: \d+")
_TENSORBOARD = ["wall time", "step", "value"]
_TENSORBOARD_FILE = re.compile(r"(?:run-(?P<run>.*?)-tag-)?(?P<tag>.+?)(?:\.(?:csv|tsv|gz|zst|\d+))*", re.IGNORECASE)


class Dialect(NamedTuple):
    """What parts the cells, and whether a comma stands before decimals."""

    delimiter: str = ","
    decimal_comma: bool = False

    def cells(self, text: str) -> list[str]:
        """Return the cells of a line, without quotes and blanks around them.

        Raises:
            ValueError: a quote is not closed, or a cell is longer than 128 KiB.
        """
        if '"' not in text:
            return [cell.strip() for cell in text.split(self.delimiter)]
        if text.count('"') % 2:
            raise ValueError("a quote is not closed")
        try:
            rows = list(csv.reader([text], delimiter=self.delimiter, skipinitialspace=True))
        except csv.Error as error:
            raise ValueError(str(error)) from None
        return [cell.strip() for cell in rows[0]] if rows else []

    def value(self, cell: str) -> str | None:
        """Return a cell as what the rows of a log hold: None if it is empty or null."""
        if cell.lower() in _EMPTY or cell.lower() in _NULL:
            return None
        return cell.replace(",", ".") if self.decimal_comma and _DECIMAL_COMMA.fullmatch(cell) else cell


@dataclass(slots=True)
class Header:
    """The columns of a table.

    Attributes:
        names: of each column; empty where it is left out, as an index is.
        runs: the run that each column is of, in an export of several runs; empty for one that all have in common.
    """

    names: list[str]
    runs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Sequence[str], file_name: str = "") -> "Header":
        """Return what the cells of a header say."""
        names = ["" if at >= MOST_COLUMNS or _INDEX.fullmatch(cell) else cell for at, cell in enumerate(cells)]
        if [name.lower() for name in names] == _TENSORBOARD:
            found = _TENSORBOARD_FILE.fullmatch(file_name)
            return cls(["wall_time", "step", found["tag"] if found else "value"])
        if any(name.endswith("__MIN") for name in names) and any(name.endswith("__MAX") for name in names):
            return cls._of_wandb(names)
        return cls(_unlike(names))

    @classmethod
    def _of_wandb(cls, names: list[str]) -> "Header":
        """W&B's export of a chart: ``"Step","run - loss","run - loss__MIN","run - loss__MAX"``."""
        runs, kept = list[str](), list[str]()
        for name in names:
            run, is_pair, tag = name.rpartition(" - ")
            is_twin = tag.endswith(("__MIN", "__MAX")) or (is_pair and tag == "_step")
            runs.append(run)
            kept.append("" if is_twin else tag)
        return cls(kept, runs) if len({run for run in runs if run}) > 1 else cls(_unlike(kept))

    @property
    def has_runs(self) -> bool:
        """Whether a line holds a row of each of several runs."""
        return bool(self.runs)

    def rows(self, line: int, values: Sequence[str | None]) -> Iterator[Row]:
        """Yield the rows in a line, one a run."""
        if not self.runs:
            pairs = zip(self.names, values, strict=False)
            yield row_of(line, {name: value for name, value in pairs if name})
            return
        by_run: dict[str, dict[str, Any]] = {}
        common = dict[str, Any]()
        for name, run, value in zip(self.names, self.runs, values, strict=False):
            if name and not run:
                common[name] = value
            elif name and value is not None:
                by_run.setdefault(run, {})[name] = value
        for run, inner in by_run.items():
            yield row_of(line, common | inner)._replace(run=run)

    def is_repeated_by(self, cells: Sequence[str]) -> bool:
        """Tell whether a line is a header again: that of a later launch, perhaps with other columns."""
        if any(number(cell) is not None or not cell for cell in cells[1:]) or len(set(cells)) < len(cells):
            return False
        own = set(self.names) - {""}
        return bool(own) and 2 * len(own.intersection(cells)) >= len(own)


def _unlike(names: list[str]) -> list[str]:
    """Of columns with the same name the second is called ``name.1``."""
    seen: dict[str, int] = {}
    found = list[str]()
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        found.append(f"{name}.{count}" if count and name else name)
    return found


class Layout(NamedTuple):
    """Dialect and columns of a table, and the index of the line behind the header."""

    dialect: Dialect
    header: Header
    start: int


def layout_of(lines: Sequence[bytes], file_name: str = "") -> Layout | None:
    """Return how a table is written; None if the first line that is no comment is no header."""
    first = next(
        (at for at, line in enumerate(lines[:_LONGEST_PREAMBLE]) if not _PREAMBLE.fullmatch(line.strip())), None
    )
    if first is None or (first and lines[first - 1].lstrip().startswith(b"#") and _is_numeric(lines[first])):
        first = (first or 0) - 1  # numpy.savetxt writes "# step loss" above the numbers
    if not 0 <= first < len(lines) or is_no_header(lines[first : first + 1]):
        return None
    head = _text(lines[first]).lstrip("# ")
    sample = [_text(line) for line in lines[first + 1 : first + 1 + _SAMPLE]]
    delimiter = _delimiter(head, sample)
    try:
        header = Header.of(Dialect(delimiter).cells(head), file_name)
    except ValueError:
        return None
    cells = [cell for row in _rows(Dialect(delimiter), sample) for cell in row]
    decimal_comma = delimiter != "," and any(map(_DECIMAL_COMMA.fullmatch, cells))
    return Layout(Dialect(delimiter, decimal_comma), header, first + 1)


def is_no_header(lines: Sequence[bytes]) -> bool:
    """Tell whether the first line is no header of a table: it holds numbers alone, or bytes that are no text."""
    if not lines:
        return False
    text = lines[0].decode("utf-8", "replace")
    return (
        "\ufffd" in text or any(ord(char) < ord(" ") and char != "\t" for char in text.strip()) or _is_numeric(lines[0])
    )


def _is_numeric(line: bytes) -> bool:
    cells = [cell for cell in re.split(r"[,;\t| ]+", _text(line).strip()) if cell]
    return bool(cells) and all(number(cell.strip('"')) is not None for cell in cells)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip("\r\n")


def _delimiter(head: str, sample: Sequence[str]) -> str:
    """What gives the header the most cells that the rows have as well."""

    def fit(delimiter: str) -> tuple[int, int]:
        dialect = Dialect(delimiter)
        widths = [len(row) for row in _rows(dialect, [head, *sample])]
        return (
            widths[0] if widths and sum(width == widths[0] for width in widths) * 2 >= len(widths) else 1,
            head.count(delimiter),
        )

    return max(_DELIMITERS, key=fit)


def _rows(dialect: Dialect, texts: Sequence[str]) -> Iterator[list[str]]:
    for text in texts:
        try:
            yield dialect.cells(text)
        except ValueError:
            continue


def is_log(lines: Sequence[bytes], file_name: str, *, surely: bool) -> bool:
    """Tell whether the first lines are those of a training log.

    Args:
        lines: of the head, blank ones left out.
        file_name: for exports that name the series in it alone.
        surely: a step and a loss are asked for, in rows that are all alike; else one of them is enough.
    """
    layout = layout_of(lines, file_name)
    if layout is None:
        return False
    dialect, header, start = layout
    rows = list(_rows(dialect, [_text(line) for line in islice(lines, start, start + _SAMPLE)]))
    width = len(header.names)
    times, losses = _telling(header.names)
    if not rows:
        return bool(times and losses and not surely)
    if surely and (width < 2 or len(rows) < 2 or any(len(row) != width for row in rows)):  # noqa: PLR2004
        return False
    numeric = {
        at for at in (*times, *losses) if _is_numeric_column([row[at] for row in rows if at < len(row)], dialect)
    }
    if surely:
        return not numeric.isdisjoint(times) and not numeric.isdisjoint(losses)
    return bool(numeric)


def first_rows(lines: Sequence[bytes], file_name: str) -> list[dict[str, Any]]:
    """Return some of the first rows, by the names of their columns; none if it is no table."""
    layout = layout_of(lines, file_name)
    if layout is None:
        return []
    rows = _rows(layout.dialect, [_text(line) for line in islice(lines, layout.start, layout.start + _SAMPLE)])
    return [dict(zip(layout.header.names, map(layout.dialect.value, row), strict=False)) for row in rows]


def _telling(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Columns named like a step or an epoch, and columns named like a loss or what stands beside one."""
    tags = [(at, name, classify(name)) for at, name in enumerate(names[:_MOST_TO_JUDGE_BY]) if name]
    times = [at for at, name, _ in tags if is_time(name)]
    return times, [at for at, _, tag in tags if tag.says_loss or tag.role in (Role.GRAD_NORM, Role.AUDIO, Role.TEXT)]


def _is_numeric_column(cells: Sequence[str], dialect: Dialect) -> bool:
    values = [value for cell in cells if (value := dialect.value(cell)) is not None]
    return bool(values) and 2 * sum(number(value) is not None for value in values) >= len(values)


def says_nothing_when_empty(name: str, names: Sequence[str]) -> bool:
    """Tell whether a column may well be empty in all of a log: of an evaluation, or of the end of an epoch."""
    return is_held_out(name) or (name.endswith("_epoch") and f"{name.removesuffix('_epoch')}_step" in names)
