"""Two runs, two directories of runs or two reports, held against each other."""

from audioloss_cli.comparison.compare import Comparison, compare
from audioloss_cli.comparison.document import document
from audioloss_cli.comparison.sides import SideError, side_of
from audioloss_cli.comparison.words import lines

__all__ = ["Comparison", "SideError", "compare", "document", "lines", "side_of"]
