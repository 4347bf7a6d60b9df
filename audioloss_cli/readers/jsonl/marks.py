"""Where a later reading of a grown file goes on, and what it has to remember."""

from typing import Any

from audioloss_cli.model import Cursor, ReadOptions
from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Table
from audioloss_cli.readers.jsonl.lines import Place
from audioloss_cli.readers.jsonl.rows import RowParser

_MOST_NAMES = 1 << 16  # beyond that the state is no lighter than the log


def make(place: Place, rows: RowParser, table: Table) -> Cursor | None:
    """The mark at the end of a file, before ``table.end``; None where the next lines may change what was said so far.

    They may prolong a stretch of bad lines, or give a number to a key that was only ever null.
    """
    learnt = table.learnt.state()
    if rows.bad or rows.stopped or learnt is None:
        return None
    shapes = [sorted(keys) for keys in rows.shapes]
    if table.learnt.size + sum(map(len, shapes)) > _MOST_NAMES:
        return None
    column = table.column
    state = {"line": place.number, "step": table.step, "key": column.key, "source": column.source}
    return Cursor(place.offset, {**state, "rows": rows.good, "shapes": shapes, "learnt": learnt})


def place(mark: Cursor | None) -> Place | None:
    """Where reading goes on."""
    return None if mark is None else Place(mark.state["line"], mark.offset)


def resume(mark: Cursor, rows: RowParser, path: str, options: ReadOptions) -> Table:
    """The table as it was; ``rows`` learns what it knew."""
    state: dict[str, Any] = mark.state
    rows.good = state["rows"]
    rows.shapes = {frozenset(keys) for keys in state["shapes"]}
    column = StepColumn(state["key"], state["source"])
    return Table(column, path, options.wanted, Learnt.resume(state["learnt"]), state["step"])
