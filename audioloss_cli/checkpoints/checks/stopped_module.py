"""A module stopped changing in the course of the run.

What: Of several checkpoints of one run, each compared with the one before, a module changed up to one of them and is
bit by bit the same in all later ones, while other modules go on. It is found along several checkpoints alone, so that
one of them never rules it out.

Why: It was frozen by a callback or at a restart, was left out of an optimiser that was made anew, or its gradient
became zero.

Fix: Compare the settings of the launches before and after that step, and the parameter groups of the two optimisers.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """What was found along the run, where it was put down beside this checkpoint."""
    yield from faults_of(evidence, "stopped-module")


def passed(evidence: CheckpointEvidence) -> str:
    """Nothing: see above."""
    del evidence
    return ""
