"""A file of the checkpoint is damaged or cut short.

What: The header of a file makes no sense, or its bytes are not those that the header says: too few, too many, upon each
other or of no tensor. Or a JSON file cannot be read.

Why: A copy that broke off, a full disk or a faulty one leave such files. Some libraries refuse them, some load what is
there and leave the rest as it was made at random.

Fix: Copy the file again from where it was saved, and compare the sizes. If it is damaged there too, go back to an
earlier checkpoint.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted
from audioloss_cli.model import Problem

CODE = "damaged-file"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield what was found wrong while files were opened and read."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell how many files were looked at."""
    files = evidence.checkpoint.files
    return f"{counted(len(files), 'file')} can be read to the end of their headers" if files else ""
