"""Runs are audited one after the other, or several at once where that is faster; reports keep the order of the runs."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from audioloss_cli.audit.processes import in_processes
from audioloss_cli.audit.run import audit_runs
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import RunReport
from audioloss_cli.model.reader import BYTES_WORTH_ARRAYS
from audioloss_cli.runs.discover import Source

# To start two processes and to import in each what reads takes longer than to read this much in one.
BYTES_WORTH_PROCESSES = 128 << 20
# A process is handed so much at a time: enough to make little of the way there and back, not so much that one process
# still works when the others have nothing left to do.
BYTES_OF_A_BATCH = 4 << 20

Progress = Callable[[int, int, str], None]


def reports_of(sources: Sequence[Source], config: ScanConfig, progress: Progress | None) -> list[list[RunReport]]:
    """The reports of each source, in their order.

    Args:
        sources: what to audit.
        config: how, and in how many processes at most; little work is done in one.
        progress: called at the start and after each run, with the bytes done and the bytes in all.
    """
    total = sum(source.bytes for source in sources)
    done, reports = 0, list[list[RunReport]]()
    if progress is not None and sources:
        progress(0, total, sources[0].run)
    for source, runs in zip(sources, _in_order(sources, config, total), strict=True):
        reports.append(runs)
        done += source.bytes
        if progress is not None:
            progress(done, total, source.run)
    return reports


def _in_order(sources: Sequence[Source], config: ScanConfig, total: int) -> Iterator[list[RunReport]]:
    parts = list(batches(sources))
    unknown = config.jobs > 1 and not all(source.bounded for source in sources)
    enough = total >= BYTES_WORTH_PROCESSES or unknown
    jobs = min(config.jobs or os.cpu_count() or 1, len(parts)) if enough else 1
    arrays = total >= BYTES_WORTH_ARRAYS
    if jobs > 1:
        yield from chain.from_iterable(in_processes(parts, config, jobs, arrays=arrays))
    else:
        yield from audit_runs(sources, config, arrays=arrays)


def batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Neighbours, until it is enough; what has no size by itself."""
    batch, size = list[Source](), 0
    for source in sources:
        batch.append(source)
        size += source.bytes
        if size >= BYTES_OF_A_BATCH or not source.bounded:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
