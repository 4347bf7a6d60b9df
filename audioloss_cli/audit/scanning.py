"""The whole audit: discover, audit each run, say what was asked for and not found."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from audioloss_cli import registry
from audioloss_cli.audit.discover import Discovery, Source, discover
from audioloss_cli.audit.run import audit_run
from audioloss_cli.audit.tags import closest, matches
from audioloss_cli.config import ScanConfig
from audioloss_cli.records import Reader, Report, RunReport, Unaudited

# Starting a process costs about 0.1 s; below this many bytes a run of processes cannot win it back.
_BYTES_WORTH_PROCESSES = 64 << 20
_TAGS_TO_NAME = 20

Progress = Callable[[int, int, str], None]


def scan(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    config: ScanConfig | None = None,
    progress: Progress | None = None,
) -> Report:
    """Audit the logs under ``paths``.

    Args:
        paths: files and directories; each must lead to at least one audited series, or the report says why not.
        config: limits, tags and gate; the defaults if None.
        progress: called after each run with the bytes done, the bytes in all and the name of the run.

    Returns:
        The report; its ``exit_code`` is the verdict at ``config.gate``.

    Raises:
        KeyError: ``config.format`` names no reader.
    """
    config = config or ScanConfig()
    roots = [os.fspath(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    wanted = [config.format] if config.format else registry.names("readers")
    readers = {name: cast("Reader", registry.load("readers", name)) for name in wanted}
    absent = {root: reason for root in roots if (reason := _absence(root))}
    present = [root for root in dict.fromkeys(roots) if root not in absent]
    found = discover(present, readers, forced=bool(config.format))
    reports = _audited(found.sources, config, progress)
    report = Report(config.gate, runs=[run for runs in reports.values() for run in runs], stray_defects=found.defects)
    report.unaudited = [Unaudited(root, reason) for root, reason in absent.items()]
    report.unaudited += [missing for root in present if (missing := _missing(root, found, reports, config))]
    report.unaudited += _unmatched(config, report) if not report.unaudited else []
    return report


def _audited(sources: Sequence[Source], config: ScanConfig, progress: Progress | None) -> dict[int, list[RunReport]]:
    """Reports by the index of their source."""
    total = sum(source.bytes for source in sources)
    done, reports = 0, dict[int, list[RunReport]]()
    if progress is not None and sources:
        progress(0, total, sources[0].run)
    for index, runs in enumerate(_in_order(sources, config, total)):
        reports[index] = runs
        done += sources[index].bytes
        if progress is not None:
            progress(done, total, sources[index].run)
    return reports


def _in_order(sources: Sequence[Source], config: ScanConfig, total: int) -> Iterator[list[RunReport]]:
    work = partial(audit_run, config=config)
    jobs = min(config.jobs or (os.cpu_count() or 1 if total >= _BYTES_WORTH_PROCESSES else 1), len(sources))
    if jobs <= 1:
        yield from map(work, sources)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  # 30 ms that only many runs need

    with ProcessPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(work, sources)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _absence(root: str) -> str:
    """Why the path cannot be looked at, empty if it can."""
    try:
        Path(root).stat()
    except FileNotFoundError:
        return "no such file or directory"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return str(getattr(error, "strerror", None) or error)
    return ""


def _missing(root: str, found: Discovery, reports: dict[int, list[RunReport]], config: ScanConfig) -> Unaudited | None:
    """Why nothing under this root was audited, or None if something was (under another root, if that came first)."""
    if root in found.unclaimed:
        return Unaudited(
            root, "not recognised as a log", hint=f"force a format with --format {'|'.join(registry.names('readers'))}"
        )
    if root not in found.covered:
        return Unaudited(root, "no logs in this directory", hint=f"formats: {', '.join(registry.names('readers'))}")
    runs = [run for index, runs in reports.items() if found.sources[index].root == root for run in runs]
    if not runs or any(run.series for run in runs):
        return None
    tags = sorted({tag for run in runs for tag in run.tags})
    if not tags:
        return Unaudited(
            root, "nothing readable in its logs" if any(run.defects for run in runs) else "no scalars in its logs"
        )
    return Unaudited(root, _nothing_asked_for(config), tags[:_TAGS_TO_NAME], _hint(tags, config.tags))


def _unmatched(config: ScanConfig, report: Report) -> list[Unaudited]:
    """Patterns that no scalar of any run matches: one typing error among several must not pass in silence."""
    tags = sorted({tag for run in report.runs for tag in run.tags})
    idle = [pattern for pattern in config.tags if not any(matches(tag, pattern) for tag in tags)]
    return [
        Unaudited(f"--tag {pattern}", "matches no scalar of any run", tags[:_TAGS_TO_NAME], _hint(tags, [pattern]))
        for pattern in idle
    ]


def _nothing_asked_for(config: ScanConfig) -> str:
    return f"no scalar matches {', '.join(config.tags)}" if config.tags else "no loss among its scalars"


def _hint(tags: Sequence[str], patterns: Sequence[str]) -> str:
    close = closest(patterns, tags)
    return f"did you mean --tag '{close[0]}'?" if close else "name the series to audit with --tag"
