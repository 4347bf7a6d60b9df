"""A save of the checkpoint did not finish.

What: A file is empty or has the name of a temporary one, the states of some ranks are missing, or a checkpoint that is
made to be resumed from lacks its optimizer, its scheduler, its random states or its trainer_state.json, or these are of
different steps.

Why: The training was stopped, or the disk was full, while it saved. Weights of such a checkpoint may still be whole;
a training that resumes from it starts with a new optimizer, or fails.

Fix: Resume from the checkpoint before this one. To use the weights alone, check that no other fault is reported.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import listed
from audioloss_cli.model import Problem

CODE = "unfinished-save"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield what an interrupted save has left, or has not come to."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell what there is to resume from."""
    opened = evidence.checkpoint
    names = sorted({part.name for part in opened.parts})
    return f"it has what a training needs to go on: {listed(names, 9)}" if opened.resumable and names else ""
