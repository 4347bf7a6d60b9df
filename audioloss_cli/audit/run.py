"""One run: its files read, its losses replayed, what was found."""

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from operator import gt
from pathlib import Path
from typing import TYPE_CHECKING, cast

from audioloss_cli import registry
from audioloss_cli.audit.beside import beside, siblings_of
from audioloss_cli.audit.choice import choice_of
from audioloss_cli.audit.discover import Source, unreadable
from audioloss_cli.audit.gather import Gathered
from audioloss_cli.audit.kinds import kind_of
from audioloss_cli.audit.tags import Selection, full_name, select
from audioloss_cli.audit.wanted import wanted
from audioloss_cli.config import ScanConfig
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.records import Defect, Reader, Request, RunReport, Series, SeriesReport, is_missing
from audioloss_cli.records.report import Role
from audioloss_cli.records.tag_words import is_held_out
from audioloss_cli.signatures import explain

if TYPE_CHECKING:
    from audioloss_cli.audit.cache import Cache

_FROZEN = "frozen-loss"
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
# Steps that go back more often than this are no restarts: several writers, or one that does not keep order.
_MOST_RESTARTS, _MOST_RESTARTS_SHARE = 10, 0.05


def audit_run(source: Source, config: ScanConfig, *, arrays: bool = False) -> list[RunReport]:
    """Audit one source; several reports if its format keeps several runs in one file, at least one in any case.

    Args:
        source: what to read.
        config: what to audit, and the limits.
        arrays: importing numpy is worth it, however small this source is.
    """
    reader = cast("Reader", registry.load("readers", source.reader))
    request = Request(wanted(Path(source.run).name, config), config.checksum, arrays=arrays)
    cache = _cache_for(source, config)
    found = Gathered()
    defects: list[Defect] = []
    for path in source.paths:
        for item in _read(reader, path, request, cache):
            if isinstance(item, Defect):
                defects.append(item)
            else:
                found.add(item)
    reports = [
        report_on(f"{source.run}/{run}" if run else source.run, found.pop(run), config, source.reader)
        for run in found.runs
    ]
    reports = reports or [RunReport(source.run, source.reader, note="no scalars")]
    reports[0].defects = defects
    for report in reports:
        report.files = [str(path) for path in source.paths]
    return reports


def _cache_for(source: Source, config: ScanConfig) -> "Cache | None":
    """Where readings are kept; apart, where other points of them are wanted."""
    if not config.cache:
        return None
    from audioloss_cli.audit.cache import Cache  # noqa: PLC0415  # 10 ms that no other scan needs

    return Cache(config.cache, (source.reader, config.checksum, Path(source.run).name, config.tags))


def _read(reader: Reader, path: Path, request: Request, cache: "Cache | None") -> Iterator[Series | Defect]:
    """Everything in a file, or one Defect that says why there is nothing."""
    defects: list[Defect] = []
    empty = True
    try:
        for item in cache.read(reader, path, request) if cache else reader.read(path, request):
            if isinstance(item, Defect):
                defects.append(item)
            elif isinstance(item, Series):
                empty = False
                yield item
    except OSError as error:
        defects.append(unreadable(path, error))
    if empty and defects and _is_lfs_pointer(path):
        message = "a Git LFS pointer, not the log itself; fetch the log with: git lfs pull"
        defects = [Defect(str(path), "not-a-log", message, offset=0)]
    yield from defects


def _is_lfs_pointer(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe has been read to its end: to open it again is to wait for ever
            return False
        with path.open("rb") as stream:
            return stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def report_on(name: str, run: Sequence[Series], config: ScanConfig, reader: str = "") -> RunReport:
    """Choose among the series of one run, replay the chosen ones, and report.

    Args:
        name: of the run.
        run: each of its series, whole; one a tag.
        config: what to audit, and the limits.
        reader: the format that the series were read from, if any.
    """
    names = {series.tag: full_name(series.tag, Path(name).name) for series in run}
    selection = select(names, config.patterns, all_losses=config.all_losses)
    series = _with_moving_steps(run)
    blank = [item.tag for item in series if item.tag in selection.roles and all(map(is_missing, item.values))]
    report = RunReport(name, reader, tags=list(names))
    report.series = [
        _series_report(name, item, selection.roles[item.tag], series, names, config)
        for item in series
        if item.tag in selection.roles and item.tag not in blank
    ]
    report.blank = [tag for tag in blank if selection.roles[tag] != "training" and not is_held_out(names[tag])]
    report.note = _note(report, selection)
    explain(report, series)
    return report


def _note(report: RunReport, selection: Selection) -> str:
    notes = []
    if report.blank:
        notes.append(f"{', '.join(report.blank)}: null in every row, so never computed")
    if selection.fell_back:
        notes.append("no audio loss of the training by name; the training loss was audited instead")
    if not report.series and not report.blank:
        notes.append("no loss to audit among its scalars")
    return "; ".join(notes)


def _series_report(
    name: str, series: Series, role: Role, run: Sequence[Series], names: Mapping[str, str], config: ScanConfig
) -> SeriesReport:
    kind, reason = kind_of(series, role, names, siblings_of(series, run, names), config)
    monitor = AudioLossMonitor(
        config.window_size,
        config.threshold,
        config.critical_threshold,
        scale=config.scale,
        name=f"{name}:{series.tag}",
        adaptive=config.adaptive,
        kind=kind,
        kind_reason=reason,
        select=config.select,
        ignore=_ignored(names[series.tag], config),
        options=config.rules,
    )
    ordered = _in_order(series)
    monitor.replay(ordered, beside(ordered, run, names))
    return SeriesReport(
        ordered,
        role,
        monitor.limits,
        segment_starts=monitor.segment_starts,
        incidents=monitor.finish(),
        reordered=ordered is not series,
        kind=monitor.kind,
        kind_reason=monitor.kind_reason,
    )


def _ignored(name: str, config: ScanConfig) -> tuple[str, ...]:
    """A logger that repeats the last evaluation at every step is no frozen loss; unless that alone was asked for."""
    others = set(choice_of(config).codes) - {_FROZEN}
    return (*config.ignore, _FROZEN) if is_held_out(name) and others and config.select is None else config.ignore


def _with_moving_steps(run: Sequence[Series]) -> list[Series]:
    """If no step of the run ever changes, none was passed to the logger: ordinals stand in for them."""
    long = [series for series in run if len(series) > 1]
    if not long or any(_moves(series.steps) for series in long):
        return list(run)
    return [replace(series, steps=array("q", range(len(series))), step_source="ordinal") for series in run]


def _moves(steps: Sequence[int]) -> bool:
    return steps[0] != steps[-1] or min(steps) != max(steps)


def _times_back(steps: Sequence[int]) -> int:
    """How often a step is lower than the one before; by the array where somebody has paid for numpy already."""
    if "numpy" not in sys.modules:
        return sum(map(gt, steps, islice(steps, 1, None)))
    import numpy as np

    found = np.asarray(steps)
    return int(np.count_nonzero(found[1:] < found[:-1]))


def _in_order(series: Series) -> Series:
    """Sorted by step, if the steps go back so often that no run was restarted that often; else as it is."""
    back = _times_back(series.steps)
    if back <= max(_MOST_RESTARTS, _MOST_RESTARTS_SHARE * len(series)):
        return series
    order = sorted(range(len(series)), key=series.steps.__getitem__)
    return replace(
        series,
        steps=array("q", (series.steps[index] for index in order)),
        values=array("d", (series.values[index] for index in order)),
        wall_times=array("d", (series.wall_times[index] for index in order)),
        restarts=[],
    )
