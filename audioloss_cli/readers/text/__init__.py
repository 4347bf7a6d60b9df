"""Console output: what a training printed, among progress bars, warnings and whatever else.

Claims: text files such as ``train.log``, ``nohup.out``, ``slurm-1.out`` or ``log.txt`` in which a loss comes again and
again beside other numbers

Example: ``Step 10: Text Loss = 2.49, Audio Loss = 6.50`` or ``{'loss': '4.018', 'epoch': 0.01}``
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from audioloss_cli.model import EVERYTHING, Cursor, Defect, Note, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

ORDER = 90
CONTINUES = False


def claims(file: LogFile) -> bool:
    """By the lines: at least two of one kind hold a loss. Source code, documents and tables are left out by name."""
    from audioloss_cli.readers.text.evidence import may_be_console, shows_losses  # noqa: PLC0415  # 10 ms

    return may_be_console(file) and shows_losses(file)


def run_of(path: Path) -> Path:
    """Return the file; of the console output that W&B keeps (``run-x/files/output.log``), the directory of the run."""
    above = path.parent.parent
    if path.parent.name == "files" and above.name.startswith(("run-", "offline-run-")):
        return above
    return path


def read(path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor | Note]:
    """Yield every number that has a name, in line order.

    The step of a row is the first of ``steps.RANKS`` that the first rows count, else the position of the progress bar
    beside them, else their whole-numbered epoch, else how often their names have come. Steps that start anew in each
    epoch go on from the epoch before. Output of other ranks than 0 is a run of its own.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from audioloss_cli.readers.text.reading import Reading  # noqa: PLC0415  # 10 ms that event files do not need

    return Reading(path, options).run()


class with_patterns:  # noqa: N801  # it stands for this module, which is a reader too
    """This reader, which takes for its own also every file that has lines as the user says."""

    ORDER, CONTINUES = ORDER, CONTINUES

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns

    def claims(self, file: LogFile) -> bool:
        """As ever; or two lines hold a pattern."""
        from audioloss_cli.readers.text.evidence import may_be_console, shows_losses  # noqa: PLC0415  # 10 ms

        return may_be_console(file) and shows_losses(file, self._patterns)

    def run_of(self, path: Path) -> Path:
        """As ever."""
        return run_of(path)

    def read(self, path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor | Note]:
        """As ever; the options hold the patterns."""
        return read(path, options)
