"""The whole audit: discover, read, audit each run, say what was asked for and not found."""

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from audioloss_cli import registry
from audioloss_cli.audit.hand_over import Finished, HandOver, by_first_name
from audioloss_cli.audit.jobs import Progress, reports_of
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ConfigError, ScanConfig
from audioloss_cli.findings.identity import RunNames
from audioloss_cli.findings.judge import CHECKPOINTS, SCAN, Judge, judge_of
from audioloss_cli.model import Report, RunReport, Unaudited
from audioloss_cli.naming import TagPattern
from audioloss_cli.naming.selection import closest
from audioloss_cli.runs.discover import Discovery, discover
from audioloss_cli.runs.group import RunGroup, grouped
from audioloss_cli.storage.spool import STANDARD_INPUT, PipedFile

if TYPE_CHECKING:
    from audioloss_cli.readers import Reader

_NOT_THERE = "no such file or directory"


def scan(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    config: ScanConfig | None = None,
    progress: Progress | None = None,
    *,
    points: bool = False,
    config_file: str = "",
    allow_missing: bool = False,
    judge: Judge | None = None,
    finished: Finished | None = None,
) -> Report:
    """Audit the logs under ``paths``.

    Args:
        paths: files, archives and directories, ``-`` for standard input; each must lead to at least one audited series,
            or the report says why not.
        config: limits, tags and gate; the defaults if None.
        progress: called at the start and after each run with the bytes done, the bytes in all and a run's name.
        points: keep all points of the audited series in the report, as ``Report.to_frame`` needs them; else a finished
            run keeps its incidents and an envelope of each series, so that memory does not grow with the runs.
        config_file: where settings came from beside the caller, for the report.
        allow_missing: a path that is not there is named in the report, whose exit code is 3, and the others are
            audited.
        judge: tells what is known and what is suppressed; by ``config`` if None.
        finished: is given each run as soon as it is finished, in the order of their names. The report keeps it without
            its curves, so that its memory does not grow with the lengths of series: each envelope has one part a
            segment.

    Returns:
        The report; its ``exit_code`` is the verdict at ``config.gate``.

    Raises:
        ValueError: no path at all, ``config.format`` names no reader, it chooses rules that there are not, or the
            cache cannot be written to, or the baseline cannot be read.
        FileNotFoundError: a path is not there, unless ``allow_missing``.
        SpillError: the points of a long log fit neither into memory nor into the directory for temporary files.
    """
    config = config or ScanConfig()
    settings = AuditSettings(config, points)
    roots = list(dict.fromkeys([os.fspath(path) for path in _listed(paths)]))
    if not roots:
        raise ValueError("no path to audit: what matches nothing must not pass")
    missing = [] if allow_missing else [root for root in roots if _absence(root) == _NOT_THERE]
    if missing:
        raise FileNotFoundError(errno.ENOENT, "no such file or directory to audit", missing[0])
    judge = judge or judge_of(config, config_file)
    if config.cache:
        _prepare(config.cache)
    return _scan(roots, config, settings, judge, config_file, progress, finished=finished)


def _scan(
    roots: Sequence[str],
    config: ScanConfig,
    settings: AuditSettings,
    judge: Judge,
    config_file: str = "",
    progress: Progress | None = None,
    pipes: Mapping[str, PipedFile] | None = None,
    finished: Finished | None = None,
) -> Report:
    """Scan; ``pipes`` are those that an earlier scan has read to their end."""
    known = pipes or {}
    absent = {root: reason for root in roots if root not in known and (reason := _absence(root))}
    present = [root for root in roots if root not in absent]
    found = discover(present, _readers(config), forced=bool(config.format), exclude=config.exclude, pipes=pipes)
    groups = by_first_name(grouped(found.sources))
    hand_over, audited = HandOver(groups, finished), list[list[RunReport]]()
    try:
        names = RunNames(
            [root for root in roots if root not in found.pipes], [pipe.shown for pipe in found.pipes.values()]
        )
        for reports in reports_of(groups, settings, progress):
            audited.append([judge.finish(run, names) for run in reports])
            hand_over.add(audited[-1])
    finally:
        found.close()
    runs = hand_over.runs
    unaudited = [Unaudited(root, reason) for root, reason in absent.items()]
    unaudited += _empty_roots(found, groups, audited, config) + _blank_runs(runs)
    report = Report(
        config.gate,
        runs,
        unaudited=unaudited or _unmatched(settings, runs),
        stray_defects=found.defects,
        unread=found.unread,
        left_out=found.left_out,
        config_file=config_file,
        with_points=None if settings.keep_points else _again(roots, config, found.pipes),
    )
    if config.checkpoints:
        from audioloss_cli.audit import checkpoints  # noqa: PLC0415  # few scans look at them

        places = [root for root in present if root != STANDARD_INPUT]
        checkpoints.add_to(report, places, config, lambda row: judge.finish(row, names), progress, finished)
    report.notes = judge.notes
    report.stale_suppressions = judge.stale(*SCAN, *(CHECKPOINTS if config.checkpoints else ()))
    return report


def _again(roots: Sequence[str], config: ScanConfig, pipes: Mapping[str, PipedFile]) -> Callable[[], Report]:
    """Return what makes the same report with all points; a pipe is kept in its temporary file until that is gone."""

    def scan_again() -> Report:
        passed = [root for root, pipe in pipes.items() if not pipe.is_kept]
        if passed:
            raise ValueError(f"{', '.join(passed)}: a pipe cannot be read twice; ask for scan(..., points=True)")
        return _scan(roots, config, AuditSettings(config, keep_points=True), judge_of(config), pipes=pipes)

    return scan_again


def _readers(config: ScanConfig) -> "dict[str, Reader]":
    """Readers by name, those that are asked first in front."""
    wanted = [config.format] if config.format else registry.names("readers")
    loaded = {name: _reader(name, config) for name in wanted}
    return dict(sorted(loaded.items(), key=lambda item: item[1].ORDER))


def _reader(name: str, config: ScanConfig) -> "Reader":
    """The reader, which also claims what the user says that its lines are like."""
    reader = registry.load("readers", name)
    if config.line_patterns and hasattr(reader, "with_patterns"):
        return cast("Reader", reader.with_patterns(config.line_patterns))
    return cast("Reader", reader)


def _listed(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterable[str | os.PathLike[str]]:
    return [paths] if isinstance(paths, (str, os.PathLike)) else paths


def _prepare(cache: str) -> None:
    from audioloss_cli.storage.cache import CacheError, prepare  # noqa: PLC0415  # 10 ms that no other scan needs

    try:
        prepare(cache)
    except CacheError as error:
        raise ConfigError(str(error)) from None


def _absence(root: str) -> str:
    """Why the path cannot be looked at, empty if it can."""
    if root == STANDARD_INPUT:
        return ""
    if not root:
        return "an empty path; is a variable not set?"
    try:
        Path(root).stat()
    except FileNotFoundError:
        return _NOT_THERE
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return str(getattr(error, "strerror", None) or error)
    return ""


def _empty_roots(
    found: Discovery, groups: Sequence[RunGroup], audited: Sequence[list[RunReport]], config: ScanConfig
) -> list[Unaudited]:
    """The roots under which nothing was audited, and why."""
    runs_of = {id(source): runs for group, runs in zip(groups, audited, strict=True) for source in group.sources}
    missing = []
    for root, sources in found.reached.items():
        runs = list({id(run): run for source in sources for run in runs_of[source]}.values())
        if not any(run.series or run.blank for run in runs):
            missing.append(_why_empty(root, found, runs, config))
    return missing


def _why_empty(root: str, found: Discovery, runs: Sequence[RunReport], config: ScanConfig) -> Unaudited:
    formats = registry.names("readers")
    if root in found.unclaimed:
        instead = found.unclaimed[root]
        reason = f"not a log of a training: {instead}" if instead else "not recognised as a log"
        return Unaudited(root, reason, hint=f"force a format with --format {'|'.join(formats)}")
    if not runs and root in found.pipes:
        return Unaudited(root, "no log came out of it")
    if not runs:
        return Unaudited(root, "no logs in this directory", hint=f"formats: {', '.join(formats)}")
    tags = sorted({tag for run in runs for tag in run.tags})
    if not tags:
        damaged = any(run.defects for run in runs)
        return Unaudited(root, "nothing readable in its logs" if damaged else "no scalars in its logs")
    reason = f"no scalar matches {', '.join(config.tags)}" if config.tags else "no loss among its scalars"
    return Unaudited(root, reason, tags, _hint(tags, config.tags))


def _blank_runs(runs: Sequence[RunReport]) -> list[Unaudited]:
    """Runs that name an audio loss and never have a number for one: no other loss can vouch for them."""
    return [
        Unaudited(
            run.run, f"{', '.join(run.blank)}: null in every row", hint="the loss was never computed, or never logged"
        )
        for run in runs
        if run.blank and not any(item.role not in ("training", "held-out") for item in run.series)
    ]


def _unmatched(settings: AuditSettings, runs: Sequence[RunReport]) -> list[Unaudited]:
    """Patterns that no scalar of any run matches: one typing error among several must not pass in silence."""
    tags = sorted({tag for run in runs for tag in run.tags})
    idle = [pattern.text for pattern in settings.patterns if not any(map(pattern.matches, tags))]
    return [Unaudited(f"--tag {text}", "matches no scalar of any run", tags, _hint(tags, [text])) for text in idle]


def _hint(tags: Sequence[str], patterns: Sequence[str]) -> str:
    for text in patterns:
        count = sum(map(bool, map(re.compile(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])").search, tags)))
        if count and not TagPattern(text).has_wildcards:  # a word of tags, and no tag
            return f"a glob matches the whole tag: --tag '*{text}*' matches {count:,} of them"
    close = closest(patterns, tags)
    return f"did you mean --tag '{close[0]}'?" if close else "name the series to audit with --tag"
