"""One run: its files read, its losses replayed, what was found."""

from array import array
from pathlib import Path
from typing import cast

from audioloss_cli import registry
from audioloss_cli.audit.discover import Source, unreadable
from audioloss_cli.audit.tags import select
from audioloss_cli.config import ScanConfig
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.records import Defect, Reader, RunReport, Series, SeriesReport
from audioloss_cli.records.report import Role

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def audit_run(source: Source, config: ScanConfig) -> list[RunReport]:
    """Audit one source; several reports if its format keeps several runs in one file, at least one in any case."""
    reader = cast("Reader", registry.load("readers", source.reader))
    chunks: dict[tuple[str, str], list[Series]] = {}
    defects: list[Defect] = []
    for path in source.paths:
        for item in _read(reader, path):
            if isinstance(item, Defect):
                defects.append(item)
            else:
                chunks.setdefault((item.run, item.tag), []).append(item)
    runs = sorted({run for run, _ in chunks}) or [""]
    reports = [
        _run_report(source, run, {tag: parts for (of, tag), parts in chunks.items() if of == run}, config)
        for run in runs
    ]
    reports[0].defects = defects
    return reports


def _read(reader: Reader, path: Path) -> list[Series | Defect]:
    """Everything in a file, or one Defect that says why there is nothing."""
    items: list[Series | Defect] = []
    try:
        items.extend(reader.read(path))
    except OSError as error:
        items.append(unreadable(path, error))
    if not any(isinstance(item, Series) for item in items) and _is_lfs_pointer(path):
        message = "a Git LFS pointer, not the log itself; fetch the log with: git lfs pull"
        return [Defect(str(path), "not-a-log", message, offset=0)]
    return items


def _is_lfs_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def _run_report(source: Source, run: str, chunks: dict[str, list[Series]], config: ScanConfig) -> RunReport:
    name = f"{source.run}/{run}" if run else source.run
    selection = select(list(chunks), config.tags, all_losses=config.all_losses)
    report = RunReport(name, source.reader, tags=list(chunks))
    report.series = [_series_report(name, Series.join(chunks[tag]), selection.role, config) for tag in selection.tags]
    report.note = _note(report, selection.role)
    return report


def _note(report: RunReport, role: Role) -> str:
    if report.series:
        return "no audio loss by name; the training loss was audited instead" if role == "training" else ""
    if not report.tags:
        return "no scalars"
    return "none of its scalars was asked for" if role == "selected" else "no loss among its scalars"


def _series_report(run: str, series: Series, role: Role, config: ScanConfig) -> SeriesReport:
    monitor = AudioLossMonitor(
        config.window_size,
        config.threshold,
        config.critical_threshold,
        scale=config.scale,
        name=f"{run}:{series.tag}",
    )
    series = _with_moving_steps(series)
    monitor.replay(series)
    return SeriesReport(series, role, monitor.limits, segment_starts=monitor.segment_starts, incidents=monitor.finish())


def _with_moving_steps(series: Series) -> Series:
    """A step that never changes was never passed to the logger: the ordinal of the point stands in for it."""
    if len(series) < 2 or min(series.steps) != max(series.steps):  # noqa: PLR2004  # one point cannot move
        return series
    series.steps, series.step_source = array("q", range(len(series))), "ordinal"
    return series
