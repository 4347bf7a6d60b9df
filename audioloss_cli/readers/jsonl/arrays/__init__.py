"""The reader for large logs: whole windows of lines by numpy, without a Python object for each.

Most lines of a log differ in their numbers alone (``skeleton``). In a window of some thousand lines the numbers are
found by a byte of the text before each (``places``, ``cut``). Then every byte of every line is proven to be text that
all lines have, or part of a well-formed number (``proof``): eight characters at a time (``words``), a column at a time.
Of the columns that are asked for, digits become the nearest float64 (``decimals``). What does not fit, be it only a
longer number than usual, is left to the typed decoder, and what that refuses to the slow path: so a line is never taken
for what it is not, and a defect is told in the same words.
"""

from audioloss_cli.readers.jsonl.arrays.found import Found
from audioloss_cli.readers.jsonl.arrays.windows import Windows

__all__ = ["Found", "Windows"]
