"""From rows to series, for every format that is made of rows: JSON, CSV, trainer_state.json, console lines.

``row_of`` makes a row of a dict; ``RowCollector`` takes rows and gives series.
"""

from audioloss_cli.readers._rows.collector import RowCollector
from audioloss_cli.readers._rows.row import Row, row_of

__all__ = ["Row", "RowCollector", "row_of"]
