"""Values of tensors could not be read.

What: The bytes of a tensor are not where the header says, or their archive is damaged, or the tensors of a file ask
for many times its bytes, or their dtype is not known (which is told, and is no fault).

Why: Nothing was ruled out for these tensors: they may hold NaN as well as health.

Fix: Copy or download the file again, and look whether something was still writing it. For a dtype that is not known,
convert a copy of the checkpoint and audit that.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem, Severity

CODE = "unread-values"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for what is damaged, one for dtypes that are not known."""
    found = list(faults_of(evidence, CODE))
    grave = [each for each in found if each.severity is not Severity.INFO]
    if len(grave) > 1:
        names = [name for each in grave for name in each.evidence.get("tensors", ())]
        text = f"the values of {counted(len(names), 'tensor')} could not be read: {listed(names)}; {grave[0].message}"
        grave = [Problem(max((each.severity for each in grave), key=lambda each: each.rank), text, {"tensors": names})]
    yield from grave
    yield from (each for each in found if each.severity is Severity.INFO)


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of tensors that were read."""
    count = len(evidence.statistics)
    return f"the values of {counted(count, 'tensor')} were read" if count else ""
