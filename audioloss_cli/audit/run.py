"""Runs: their files read, their losses replayed, what was found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from audioloss_cli.audit.choice import choice_of
from audioloss_cli.audit.kinds import kind_of
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Defect, Note, RunReport, Series, SeriesReport, is_missing
from audioloss_cli.model.report import Role
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.naming.selection import Selection, full_name, select
from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.runs.companions import beside, siblings_of
from audioloss_cli.runs.discover import Source
from audioloss_cli.runs.gather import Gathered
from audioloss_cli.runs.order import in_order, with_moving_steps
from audioloss_cli.runs.readings import readings
from audioloss_cli.signatures import explain

_FROZEN = "frozen-loss"
_PART = 1 << 16  # points that are replayed in one go: what stands beside them has to be in memory


def audit_runs(
    sources: Sequence[Source], config: ScanConfig, *, arrays: bool = False, directory: str | None = None
) -> Iterator[list[RunReport]]:
    """Audit sources one after the other; of each all reports.

    Args:
        sources: what to read.
        config: what to audit, and the limits.
        arrays: importing numpy is worth it, however small each source is.
        directory: where what does not fit into memory is kept for another process; see ``SpillFile``.

    Raises:
        SpillError: it does not fit there.
    """
    for source, items in readings(sources, config, arrays=arrays):
        yield _audited(source, items, config, directory)


def _audited(
    source: Source, items: Iterable[Series | Defect | Note], config: ScanConfig, directory: str | None
) -> list[RunReport]:
    """Several reports if its format keeps several runs in one file, at least one in any case."""
    found, defects = Gathered(directory), list[Defect]()
    details = list[str]()
    for item in items:
        if isinstance(item, Defect):
            defects.append(item)
        elif isinstance(item, Note):
            details.append(item.message)
        else:
            found.add(item)
    reports = [
        report_on(f"{source.run}/{run}" if run else source.run, found.pop(run), config, source.reader)
        for run in found.runs
    ]
    reports = reports or [RunReport(source.run, source.reader, note="no scalars")]
    reports[0].defects = defects
    reports[0].details = details
    for report in reports:
        report.files = [str(path) for path in source.paths]
    return reports


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
    series = with_moving_steps(run)
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
    ordered = in_order(series)
    _replay(monitor, ordered, beside(ordered, run, names))
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


def _replay(monitor: AudioLossMonitor, series: Series, columns: Mapping[str, Sequence[float]]) -> None:
    for start in range(0, len(series), _PART):
        end = min(start + _PART, len(series))
        monitor.replay(series.part(start, end), {name: column[start:end] for name, column in columns.items()})


def _ignored(name: str, config: ScanConfig) -> tuple[str, ...]:
    """A logger that repeats the last evaluation at every step is no frozen loss; unless that alone was asked for."""
    others = set(choice_of(config).codes) - {_FROZEN}
    return (*config.ignore, _FROZEN) if is_held_out(name) and others and config.select is None else config.ignore
