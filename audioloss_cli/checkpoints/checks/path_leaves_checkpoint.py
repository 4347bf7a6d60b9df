"""The checkpoint leads to files outside of it.

What: An index or ``.metadata`` names a file by ``..`` or an absolute path, or a link in the directory leads out of it.
Links of the cache of the Hugging Face hub stay in the directory of their model and are none of these.

Why: The library transformers opens whatever an index names. From a stranger, such a checkpoint reads files of yours;
from a colleague, it works until it is copied to another machine. What an index names outside was not opened.

Fix: Do not load a checkpoint of a stranger that does this. Replace links of your own by the files: ``cp -rL``.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted
from audioloss_cli.model import Problem

CODE = "path-leaves-checkpoint"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield paths and links that were met while files were opened."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell how many files were looked at."""
    files = evidence.checkpoint.files
    return f"{counted(len(files), 'file')} lie in the checkpoint itself" if len(files) > 1 else ""
