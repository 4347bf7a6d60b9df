"""Runs audited in several processes at once."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING

from audioloss_cli.audit.run import audit_runs
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.model import RunReport
from audioloss_cli.runs.group import RunGroup

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from tempfile import TemporaryDirectory


def in_processes(
    batches: Sequence[Sequence[RunGroup]], settings: AuditSettings, jobs: int, *, arrays: bool
) -> Iterator[Sequence[list[RunReport]]]:
    """The reports of each batch, in order.

    New interpreters, not forks: a thread of the caller may hold any lock at the moment of a fork.
    """
    import multiprocessing  # noqa: PLC0415  # 40 ms that only much work needs
    import signal  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    handover = _handover()
    name = handover.name if handover else None
    try:
        yield from pool.map(audited, batches, repeat(settings), repeat(arrays), repeat(name))
    except BaseException:  # an interrupt must not wait for the files that are being read
        _end([child for child in multiprocessing.active_children() if child not in before], settings)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        if handover:
            handover.cleanup()


def audited(
    batch: Sequence[RunGroup], settings: AuditSettings, arrays: bool, directory: str | None
) -> Sequence[list[RunReport]]:
    """What each process does."""
    return list(audit_runs(batch, settings, arrays=arrays, directory=directory))


def _handover() -> "TemporaryDirectory[str] | None":
    """Where processes leave long logs for this one; without, their points come with the reports."""
    import tempfile  # noqa: PLC0415

    try:
        return tempfile.TemporaryDirectory(prefix="audioloss-", ignore_cleanup_errors=True)
    except OSError:
        return None


def _end(children: "Sequence[BaseProcess]", settings: AuditSettings) -> None:
    """Stop them where they are, and clear away what they were writing."""
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    if settings.config.cache:
        from audioloss_cli.storage.cache import forget_drafts  # noqa: PLC0415

        forget_drafts(settings.config.cache, {child.pid for child in children})
