"""Checkpoints of different runs that are bit by bit the same."""

import math
from collections.abc import Mapping, Sequence

from audioloss_cli import registry
from audioloss_cli.checkpoints.audit import AuditedCheckpoint
from audioloss_cli.checkpoints.check import FOLDER
from audioloss_cli.checkpoints.comparison import compare
from audioloss_cli.checkpoints.stored import Checkpoint
from audioloss_cli.model import Finding, RuleText, Severity
from audioloss_cli.model.checkpoint_report import CheckpointReport

_CHECK = "nothing_changed"
Likeness = tuple[tuple[str, int, float], ...]


class Copies:
    """Remembers the norms of the checkpoints that were audited, and compares values where all norms are the same."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._known: dict[Likeness, Checkpoint] = {}

    def add(self, group: Sequence[AuditedCheckpoint], jobs: int) -> None:
        """Add a finding to each checkpoint that is a copy of one of an earlier group.

        Args:
            group: checkpoints of one directory, which are held against each other elsewhere.
            jobs: threads that read values.

        Raises:
            OSError: a file cannot be read any more.
        """
        likenesses: Mapping[str, Likeness] = {each.report.path: _likeness(each.report) for each in group}
        for each in group:
            other = self._known.get(likenesses[each.report.path])
            if other is not None and not _is_of_one_run(each.opened, other) and _is_copy(each.opened, other, jobs):
                each.findings.append(_finding(each.opened, other))
        for each in group:
            if likenesses[each.report.path]:
                self._known.setdefault(likenesses[each.report.path], each.opened)


def _likeness(report: CheckpointReport) -> Likeness:
    """Return the norms of all modules; nothing where one is not known, or all are zero."""
    found = tuple((module.name, module.parameters, module.norm) for module in report.modules)
    is_known = all(math.isfinite(norm) for _, _, norm in found) and any(norm for _, _, norm in found)
    return found if is_known else ()


def _is_of_one_run(one: Checkpoint, other: Checkpoint) -> bool:
    """A training that ends leaves its last model above its checkpoints."""
    places = one.path.absolute(), other.path.absolute()
    return places[0] in places[1].parents or places[1] in places[0].parents


def _is_copy(one: Checkpoint, other: Checkpoint, jobs: int) -> bool:
    found = compare(one, other, jobs=jobs)
    others = (found.only_here, found.only_there, found.reshaped, found.unread)
    return bool(found.changes) and not any(others) and all(each.is_same for each in found.changes.values())


def _finding(one: Checkpoint, other: Checkpoint) -> Finding:
    """A fact at the same step: two runs with one seed come to the same. At different steps nothing was trained."""
    steps = one.step, other.step
    grave = None not in steps and steps[0] != steps[1]
    place = f" (steps {one.step:,} and {other.step:,})" if grave else ""
    return Finding(
        _CHECK.replace("_", "-"),
        Severity.WARNING if grave else Severity.INFO,
        f"all {len(one.tensors):,} tensors are bit by bit those of {other.path}, a checkpoint of another run{place}",
        {"other": str(other.path), "steps": list(steps)},
        RuleText.parse(registry.docstring(FOLDER, _CHECK), _CHECK).fix,
    )
