"""One codebook was not trained.

What: All rows of a codebook in the audio head or in the audio embeddings are bit by bit those that the checkpoint is
compared with (--against), while the rows of other codebooks changed. Critical in the head, a warning in the embeddings.

Why: All labels of that codebook are ignored, or the loss leaves it out: its head gets no gradient. Embeddings that do
not change belong to codes that the model never hears.

Fix: Count the labels of each codebook that are not the ignored index (audioloss probe), and look for a loop over
codebooks that ends too early.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._changes import WORDS, after, changes_of, has_trained
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import placed
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Problem, Severity

_GROUPS = {"head": Severity.CRITICAL, "embeddings": Severity.WARNING}


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for each of head and embeddings."""
    comparison = evidence.comparison
    for group, severity in _GROUPS.items():
        same, moved = _books(evidence, group)
        if comparison is not None and same and moved:
            numbers = {"group": group, "unchanged": same, "changed": moved, "steps": comparison.steps}
            which = f"codebook{'s' if len(same) > 1 else ''} {listed(same, 8)}"
            yield Problem(
                severity,
                f"the rows of {which} in the {WORDS[group]} are bit by bit the base's {after(comparison)}, and those "
                f"of {counted(len(moved), 'other')} changed",
                numbers,
            )


def passed(evidence: CheckpointEvidence) -> str:
    """How many codebooks changed in the head."""
    same, moved = _books(evidence, "head")
    return f"the rows of all {len(moved)} codebooks of the audio head changed" if moved and not same else ""


def _books(evidence: CheckpointEvidence, group: str) -> tuple[list[int], list[int]]:
    """Return the numbers of the codebooks that nothing of the group changed for, and those of the others."""
    if evidence.family is None or not has_trained(evidence.comparison):
        return [], []
    tensors, changes = evidence.checkpoint.tensors, changes_of(evidence).of(group)
    expected = [each for each in evidence.family.expected(evidence.checkpoint.config) if each.group == group]
    where, moved = placed(expected, tensors), dict[int, bool]()
    for each in expected:
        name = where.get(each.name, "")
        if name not in changes or not each.books or tensors[name].shape[0] % each.books:
            continue
        change, rows = changes[name], tensors[name].shape[0] // each.books
        for block in range(each.books):
            first, last = block * rows, (block + 1) * rows
            same = change.is_same or any(start <= first and last <= end for start, end in change.same_runs)
            book = each.first_book + block
            moved[book] = moved.get(book, False) or not same
    return [book for book in sorted(moved) if not moved[book]], [book for book in sorted(moved) if moved[book]]
