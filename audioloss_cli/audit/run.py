"""Groups of sources to run reports: their files read, sources of one run put together, their losses replayed."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from audioloss_cli.audit.kinds import kind_of
from audioloss_cli.audit.learning import learning_of
from audioloss_cli.audit.no_losses import asked_of, in_its_words, left_out
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.causes import explain
from audioloss_cli.findings.identity import beginning_of
from audioloss_cli.model import Finding, RunReport, Series, Severity, is_missing
from audioloss_cli.model.axis import TimeAxis
from audioloss_cli.model.report import Source
from audioloss_cli.model.series_report import AuditedSeries
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.naming import classify
from audioloss_cli.naming.selection import Selection, Why, full_name, select
from audioloss_cli.naming.tag_words import without_its_data
from audioloss_cli.runs.axis import axis_of, counted_on
from audioloss_cli.runs.companions import RunTags, codebooks_of, companions, siblings_of
from audioloss_cli.runs.findings import held_out_low, lost_ground
from audioloss_cli.runs.goes_on import steps_without
from audioloss_cli.runs.group import RunGroup
from audioloss_cli.runs.merge import MergedRun
from audioloss_cli.runs.order import in_order, with_moving_steps
from audioloss_cli.runs.read import ReadRun, read_runs
from audioloss_cli.runs.run_files import RunFiles, run_files

_OF_HELD_OUT = ("non-finite-loss",)  # rules for a held-out loss that is not audited for its own sake
_PART = 1 << 16  # points that are replayed in one go: what stands beside them has to be in memory


def audit_runs(
    groups: Sequence[RunGroup], settings: AuditSettings, *, arrays: bool = False, directory: str | None = None
) -> Iterator[list[RunReport]]:
    """Audit groups one after the other; yield all reports of each.

    Args:
        groups: what to read.
        settings: what to audit, and the limits.
        arrays: importing numpy is worth it, however small each source is, and however short each series.
        directory: where what does not fit into memory is kept for another process; see ``SpillFile``.

    Raises:
        SpillError: it does not fit there.
    """
    for runs in read_runs(groups, settings.config, arrays=arrays, directory=directory):
        yield [_audited(run, settings, arrays=arrays) for run in runs]


def _audited(run: ReadRun, settings: AuditSettings, *, arrays: bool) -> RunReport:
    if run.merged is None:
        return RunReport(run.name, _sources(run), defects=run.defects, note="no scalars", details=run.details)
    paths = [path for source in run.sources for path in source.paths if str(path) not in source.shown]
    report = _report_on(run.name, run.merged, settings, cache(partial(run_files, paths)), arrays=arrays)
    report.sources, report.defects, report.details = _sources(run), run.defects, run.details
    return report


def _sources(run: ReadRun) -> list[Source]:
    return [Source(source.reader, [source.name_of(path) for path in source.paths]) for source in run.sources]


def report_on(name: str, run: Sequence[Series], settings: AuditSettings) -> RunReport:
    """Choose among the series of one run, replay the chosen ones, and report.

    Args:
        name: of the run.
        run: each of its series, whole; one a tag.
        settings: what to audit, and the limits.
    """
    return _report_on(name, MergedRun([], {series.tag: series for series in run}), settings, RunFiles, arrays=False)


def _report_on(
    name: str, merged: MergedRun, settings: AuditSettings, files: Callable[[], RunFiles], *, arrays: bool
) -> RunReport:
    names = {tag: full_name(tag, Path(name).name) for tag in merged.series}
    config = settings.config
    selection = select(names, settings.patterns, all_losses=config.all_losses)
    counted = counted_on(
        with_moving_steps(list(merged.series.values())),
        {tag: classify(known) for tag, known in names.items()},
        arrays=arrays,
    )
    series = counted.run
    blank = {item.tag for item in series if item.tag in selection.roles and all(map(is_missing, item.values))}
    tags = RunTags(series, names, files)
    axes = {
        item.tag: axis_of(item, tags, counted.epochs if item.tag in counted.moved else (), told=counted.told)
        for item in series
        if item.tag in selection.roles
    }
    audited = [
        _audit(name, item, selection.roles[item.tag], tags, settings, axes[item.tag], arrays=arrays)
        for item in series
        if item.tag in selection.roles and item.tag not in blank
    ]
    low = [finding for item in audited for finding in _low_held_out(item, tags, settings)]
    audited += _held_out(name, tags, selection, settings, arrays=arrays)
    explain(audited, series)
    risen = [finding for item in audited for finding in _lost_ground(name, item, tags, settings)]
    findings = [*merged.findings, *low, *risen]
    report = RunReport(name, tags=list(names), findings=findings, learning=learning_of(audited, tags))
    report.series = [
        item.finished(
            keep_points=settings.keep_points,
            sources=merged.shares.get(item.series.tag, ()),
            beginning=beginning_of(item.series.values) if item.incidents else (),
        )
        for item in audited
    ]
    report.blank = [
        tag for tag in names if tag in blank and selection.roles[tag] != "training" and not tags.tags[tag].held_out
    ]
    report.not_audited = _not_audited(tags, selection)
    report.note = _note(report, selection)
    return report


def _held_out(
    name: str, tags: RunTags, selection: Selection, settings: AuditSettings, *, arrays: bool
) -> list[AuditedSeries]:
    """Held-out losses that are no numbers somewhere: whatever the training loss says, such a model is broken."""
    if settings.patterns:
        return []
    found = list[AuditedSeries]()
    for series in tags.run:
        tag = tags.tags[series.tag]
        if tag.held_out and tag.role.is_loss and tag.says_loss and series.tag not in selection.roles and len(series):
            select = tuple(code for code in _OF_HELD_OUT if code in settings.of(name, series.tag).choice.codes)
            if not select:
                continue
            axis = axis_of(series, tags)
            monitor = AudioLossMonitor(name=f"{name}:{series.tag}", kind="small", select=select, axis=axis)
            ordered = in_order(series, arrays=arrays)
            _replay(monitor, ordered, {}, arrays=arrays)
            if incidents := monitor.finish():
                starts = monitor.segment_starts
                found.append(AuditedSeries(ordered, "held-out", monitor.limits, starts, incidents, axis=axis))
    return found


def _low_held_out(item: AuditedSeries, tags: RunTags, settings: AuditSettings) -> list[Finding]:
    """Held-out losses of the same name that are next to nothing while this one is not."""
    own = tags.tags[item.series.tag]
    if own.held_out or not own.role.is_loss or item.kind not in ("ce", "open") or settings.patterns:
        return []
    twins = [
        in_order(other, arrays=False)
        for other in tags.of("held-out loss", lambda tag: tag.held_out and tag.role.is_loss)
        if tags.tags[other.tag].says_loss and without_its_data(other.tag) == without_its_data(item.series.tag)
    ]
    return held_out_low.findings(item.series, twins, item.limits.threshold)


def _lost_ground(name: str, item: AuditedSeries, tags: RunTags, settings: AuditSettings) -> list[Finding]:
    """A loss that ends high, where no incident tells: it rose too slowly for what compares points with the last ones.

    Who does not ask for divergence does not ask for this.
    """
    tag = item.series.tag
    if item.kind not in ("ce", "open") or item.role == "held-out" or tags.tags[tag].held_out:
        return []
    if "divergence" not in settings.of(name, tag).choice.codes:
        return []
    if any(each.severity is Severity.CRITICAL or each.code != "loss-spike" for each in item.incidents):
        return []  # it is told already, or its lowest level is that of a collapse
    return lost_ground.findings(item.series, item.segment_starts[-1])


def _not_audited(tags: RunTags, selection: Selection) -> list[str]:
    """Losses that were not chosen; a trainer's summary is no series."""
    return [
        name
        for name, tag in tags.tags.items()
        if tag.role.is_loss and tag.says_loss and name not in selection.roles and not tag.is_summary
    ]


def _note(report: RunReport, selection: Selection) -> str:
    notes = []
    if report.blank:
        notes.append(f"{', '.join(report.blank)}: null in every row, so never computed")
    if selection.for_want_of_a_total:
        notes.append("no audio loss and no training loss by name; what stands for a part of it was audited instead")
    elif selection.fell_back:
        notes.append("no audio loss of the training by name; the training loss was audited instead")
    if not report.series and not report.blank:
        notes.append("no loss to audit among its scalars")
    return "; ".join(notes)


def _audit(
    name: str, series: Series, role: Why, tags: RunTags, settings: AuditSettings, axis: TimeAxis, *, arrays: bool
) -> AuditedSeries:
    settings = settings.of(name, series.tag)
    config = settings.config
    kind, reason = kind_of(series, role, tags, siblings_of(series, tags), config)
    own = tags.tags[series.tag]
    asked = asked_of(own, role)
    ignored = settings.ignored(held_out=own.held_out)
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
        ignore=(*ignored, *left_out(asked, settings.choice.codes)) if asked else ignored,
        options=config.rules,
        axis=axis,
        vocabularies=tags.files().vocabularies,
        codebooks=codebooks_of(series, tags),
    )
    ordered = in_order(series, arrays=arrays)
    _replay(monitor, ordered, companions(ordered, tags, arrays=arrays), arrays=arrays)
    if not tags.tags[series.tag].held_out:
        for step in steps_without(ordered, tags):
            monitor.absent(step, math.nan)
    incidents = monitor.finish()
    if asked:
        in_its_words(own.role, asked, incidents)
    return AuditedSeries(
        ordered,
        role,
        monitor.limits,
        segment_starts=monitor.segment_starts,
        incidents=incidents,
        reordered=ordered is not series,
        kind=monitor.kind,
        kind_reason=monitor.kind_reason,
        axis=axis,
    )


def _replay(monitor: AudioLossMonitor, series: Series, columns: Mapping[str, Sequence[float]], *, arrays: bool) -> None:
    for start in range(0, len(series), _PART):
        end = min(start + _PART, len(series))
        beside = {name: column[start:end] for name, column in columns.items()}
        monitor.replay(series.part(start, end), beside, arrays=arrays)
