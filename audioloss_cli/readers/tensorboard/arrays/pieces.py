"""From records that have templates to the points at each of their places."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers.tensorboard.arrays.groups import Found
from audioloss_cli.readers.tensorboard.arrays.shapes import column
from audioloss_cli.readers.tensorboard.template import STEP_AT, WALL_TIME_AT, Place


class Piece(NamedTuple):
    """The points at one place of the records of one template.

    Attributes:
        number: of the place in the record.
        place: what stands there.
        records: int64, their numbers in the window, ascending.
        rows: uint64 [records, words].
        step_bytes: length of the step.
    """

    number: int
    place: Place
    records: Any
    rows: Any
    step_bytes: int

    def columns(self) -> tuple[Any, Any, Any]:
        """Steps, values and wall times."""
        with np.errstate(invalid="ignore"):  # a signalling NaN
            values = column(self.rows, self.place.at, self.place.layout).astype(np.float64)
        return _steps(self.rows, self.step_bytes), values, column(self.rows, WALL_TIME_AT, "<f8").copy()


def pieces(found: Found) -> Iterator[Piece]:
    """Those of each template and place."""
    shape, records, rows, fit = found
    for number, chosen in _by_template(fit.which, len(shape.places)):
        mine, own = records[chosen], rows[chosen]
        for place_number, place in enumerate(shape.places[number]):
            yield Piece(place_number, place, mine, own, shape.step_bytes)


def _by_template(which: Any, count: int) -> Iterator[tuple[int, Any]]:
    """Each template that rows have, and their numbers."""
    if which is None:
        yield 0, slice(None)
        return
    order = np.argsort(which.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=count)).tolist()
    for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > begin:
            yield number, order[begin:end]


def _steps(rows: Any, step_bytes: int) -> Any:
    """Varints of one length: int64."""
    if not step_bytes:
        return np.zeros(len(rows), np.int64)
    raw = column(rows, STEP_AT, "<u8")
    steps = raw & np.uint64(0x7F)
    for number in range(1, step_bytes):
        steps |= (raw >> np.uint64(8 * number) & np.uint64(0x7F)) << np.uint64(7 * number)
    return steps.view(np.int64)
