"""Three ways to the same points: record by record, by templates, and by the array.

``plain`` is the specification: framing and wire parser. ``quick`` and ``arrays`` hand it whatever is unusual.
"""

from collections.abc import Callable, Iterator

from audioloss_cli.model import Defect, ReadOptions
from audioloss_cli.model.reader import BYTES_WORTH_ARRAYS
from audioloss_cli.readers.tensorboard.framing import Framing
from audioloss_cli.readers.tensorboard.parsed import parsed
from audioloss_cli.readers.tensorboard.quick import quick
from audioloss_cli.readers.tensorboard.scalars import Scalars

Way = Callable[[Framing, Scalars], Iterator[Defect | None]]

_BYTES_WORTH_ARRAYS = 1 << 15  # once numpy is paid for, arrays win from some 500 events on


def fastest(framing: Framing, scalars: Scalars, options: ReadOptions) -> Iterator[Defect | None]:
    """Every record from here on, into ``scalars``; a Defect for each that could not be read, None where one was."""
    return arrays(framing, scalars) if _worth_arrays(framing, options) else quick(framing, scalars)


def plain(framing: Framing, scalars: Scalars) -> Iterator[Defect | None]:
    """The same, by the specification."""
    while (items := framing.step()) is not None:
        for item in items:
            yield parsed(item, scalars, framing.path)


def arrays(framing: Framing, scalars: Scalars) -> Iterator[Defect | None]:
    """The same, by the array."""
    from audioloss_cli.readers.tensorboard.arrays import by_the_array  # noqa: PLC0415  # numpy

    return by_the_array(framing, scalars)


def _worth_arrays(framing: Framing, options: ReadOptions) -> bool:
    left = framing.buffer.left() if framing.buffer.seekable else 0
    return left >= (_BYTES_WORTH_ARRAYS if options.arrays else BYTES_WORTH_ARRAYS)
