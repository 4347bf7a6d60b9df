"""Where a later reading of a grown file goes on, and what it has to remember."""

from typing import Any, get_args

from audioloss_cli.model import Cursor
from audioloss_cli.model.reader import MarkError
from audioloss_cli.model.series import StepSource
from audioloss_cli.model.shape import COUNT, INT64, Either, has_shape
from audioloss_cli.readers._rows import RowCollector
from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers.jsonl.rows import RowParser
from audioloss_cli.storage.lines import Place

_MOST_NAMES = 1 << 16  # beyond that the state is no lighter than the log
_STATE = {
    "line": COUNT,
    "step": INT64,
    "key": Either(str, None),
    "source": frozenset(get_args(StepSource)),
    "rows": COUNT,
    "dressed": bool,
    "told": COUNT,
    "core": [str],
    "every": [str],
    "learnt": dict,
}


def make(place: Place, rows: RowParser, collector: RowCollector) -> Cursor | None:
    """Return the mark at the end of a file, before ``collector.end``.

    None where the next lines may change what was said so far: they may prolong a stretch of bad lines, or give a number
    to a key that was only ever null. None for a log of several runs, or of the long form.
    """
    table = collector.table_of_all_rows
    if table is None or rows.bad or any(not table.learnt.has_numbers(key) for key in table.never):
        return None
    learnt = table.learnt
    if learnt.size + len(rows.every) > _MOST_NAMES:
        return None
    column = table.column
    state = {"line": place.number, "step": table.step, "key": column.key, "source": column.source}
    keys = {"core": sorted(rows.core or ()), "every": sorted(rows.every)}
    parser = {"rows": rows.good, "dressed": rows.dressed, "told": rows.told, **keys}
    return Cursor(place.offset, {**state, **parser, "learnt": learnt.state()})


def place(mark: Cursor | None) -> Place:
    """Where reading goes on.

    Raises:
        MarkError: ``make`` did not make the mark.
    """
    if mark is not None and not has_shape(mark.state, _STATE):
        raise MarkError("no state of JSON lines")
    return Place() if mark is None else Place(mark.state["line"], mark.offset)


def resume(mark: Cursor, rows: RowParser, collector: RowCollector) -> None:
    """Have both know what they knew; ``place`` has looked at the mark.

    Raises:
        MarkError: ``make`` did not make it.
    """
    state: dict[str, Any] = mark.state
    rows.good, rows.dressed, rows.told = state["rows"], state["dressed"], state["told"]
    rows.core, rows.every = set(state["core"]), set(state["every"])
    collector.resume(StepColumn(state["key"], state["source"]), Learnt.resume(state["learnt"]), state["step"])
