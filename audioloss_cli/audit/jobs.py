"""Runs are audited one after the other, or several at once where that is faster; reports keep the order of the runs."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from audioloss_cli.audit.processes import in_processes
from audioloss_cli.audit.run import audit_runs
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.model import RunReport
from audioloss_cli.model.reader import BYTES_WORTH_ARRAYS
from audioloss_cli.runs.group import RunGroup

# To start two processes and to import in each what reads takes longer than to read this much in one.
BYTES_WORTH_PROCESSES = 128 << 20
# A process is handed so much at a time: enough to make little of the way there and back, not so much that one process
# still works when the others have nothing left to do.
BYTES_OF_A_BATCH = 4 << 20

Progress = Callable[[int, int, str], None]


def reports_of(
    groups: Sequence[RunGroup], settings: AuditSettings, progress: Progress | None
) -> Iterator[list[RunReport]]:
    """Yield the reports of each group, in their order.

    Args:
        groups: what to audit.
        settings: how, and in how many processes at most; little work is done in one.
        progress: called at the start and after each run, with the bytes done and the bytes in all.
    """
    total = sum(group.bytes for group in groups)
    done = 0
    if progress is not None and groups:
        progress(0, total, groups[0].name)
    for group, runs in zip(groups, _in_order(groups, settings, total), strict=True):
        yield runs
        done += group.bytes
        if progress is not None:
            progress(done, total, group.name)


def _in_order(groups: Sequence[RunGroup], settings: AuditSettings, total: int) -> Iterator[list[RunReport]]:
    parts = list(batches(groups))
    unknown = settings.config.jobs > 1 and not all(group.bounded for group in groups)
    enough = total >= BYTES_WORTH_PROCESSES or unknown
    jobs = min(settings.config.jobs or os.cpu_count() or 1, len(parts)) if enough else 1
    arrays = total >= BYTES_WORTH_ARRAYS
    if jobs > 1:
        yield from chain.from_iterable(in_processes(parts, settings, jobs, arrays=arrays))
    else:
        yield from audit_runs(groups, settings, arrays=arrays)


def batches(groups: Sequence[RunGroup]) -> Iterator[list[RunGroup]]:
    """Neighbours, until it is enough; what has no size by itself."""
    batch, size = list[RunGroup](), 0
    for group in groups:
        batch.append(group)
        size += group.bytes
        if size >= BYTES_OF_A_BATCH or not group.bounded:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
