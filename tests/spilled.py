"""A series as it is kept once it is too long for memory."""

from audioloss_cli.model import Series
from audioloss_cli.storage.long_column import LongColumn
from audioloss_cli.storage.spill_file import SpillFile


def spilled(series: Series) -> Series:
    """The same points in a file."""
    file = SpillFile()
    found = Series(series.tag, LongColumn(file, "q"), LongColumn(file, "d"), LongColumn(file, "d"))
    found.extend(series)
    return found
