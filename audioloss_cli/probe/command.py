"""The door of the torch wing: plain values of a command line in, a report out."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from audioloss_cli.model import Finding, Report, Series
from audioloss_cli.probe import data_audit
from audioloss_cli.probe.arguments import parse_arguments
from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data_audit import Progress
from audioloss_cli.probe.measure.evidence import Logged
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapter_file import read_adapter_file
from audioloss_cli.probe.run import Signs, describe, probe


def run(
    request: Mapping[str, Any],
    options: Mapping[str, Any],
    model_arguments: Sequence[str],
    data_arguments: Sequence[str],
    logs: Report | None = None,
    scale: float = 1.0,
    files: Sequence[Finding] = (),
    passed: Mapping[str, str] = MappingProxyType({}),
) -> Report:
    """Probe, and put what the logs of the run and the files of the checkpoint say beside it.

    Args:
        request: fields of ``ProbeConfig`` that are plain values, and ``adapter_file``.
        options: fields of ``Options``.
        model_arguments: each ``key=value``, for the model's factory.
        data_arguments: the same, for that of the data.
        logs: the scan of the run's logs, if it was asked for.
        scale: by which the logged loss is larger than the mean over codebooks.
        files: what was found in the files of the checkpoint.
        passed: code -> clause, of the checks of these files that ruled their problem out.

    Raises:
        ProbeError: see ``probe``.
    """
    config = _config(request, options, model_arguments, data_arguments)
    incidents = logs.incidents if logs is not None else ()
    return _beside(probe(config, logged_losses(logs, scale), Signs(files, passed, incidents)), logs)


def audit_data(
    request: Mapping[str, Any],
    options: Mapping[str, Any],
    data_arguments: Sequence[str],
    batches: int | None = None,
    logs: Report | None = None,
    progress: Progress | None = None,
) -> Report:
    """Audit the data alone, and put what the logs of a run say beside it.

    Args:
        request: see ``run``.
        options: see ``run``.
        data_arguments: see ``run``.
        batches: how many to take; None for all.
        logs: see ``run``.
        progress: told of every batch.

    Raises:
        ProbeError: see ``probe.data_audit.audit_data``.
    """
    config = _config({**request, "batches": 1 if batches is None else batches}, options, [], data_arguments)
    incidents = logs.incidents if logs is not None else ()
    return _beside(data_audit.audit_data(config, batches, progress, incidents), logs)


def _beside(report: Report, logs: Report | None) -> Report:
    """With what the scan of the logs found."""
    if logs is not None:
        report.runs, report.stray_defects = logs.runs, logs.stray_defects
        report.unaudited += logs.unaudited
        report.unread, report.left_out = logs.unread, logs.left_out
    return report


def show_layout(
    request: Mapping[str, Any],
    options: Mapping[str, Any],
    model_arguments: Sequence[str],
    data_arguments: Sequence[str],
) -> list[str]:
    """What is understood of the batch and of the model's output, in lines; see ``run``."""
    return describe(_config(request, options, model_arguments, data_arguments))


def _config(
    request: Mapping[str, Any],
    options: Mapping[str, Any],
    model_arguments: Sequence[str],
    data_arguments: Sequence[str],
) -> ProbeConfig:
    """What the command line says, and what the file says of which it is silent."""
    request = dict(request)
    file = request.pop("adapter_file", None)
    name, written = read_adapter_file(Path(file)) if file else ("", {})
    said = {key: value for key, value in options.items() if value not in ("", None)}
    request["adapter"] = request.get("adapter") or name
    return ProbeConfig(
        **request,
        options=Options(**{**written, **said}),
        model_arguments=parse_arguments(model_arguments, "--model-arg"),
        data_arguments=parse_arguments(data_arguments, "--data-arg"),
    )


def logged_losses(logs: Report | None, scale: float) -> list[Logged]:
    """The end and the lowest of each audited series, per codebook; series without a finite value say nothing."""
    found = []
    for run in logs.runs if logs is not None else ():
        for item in run.series:
            series = item.series or Series(item.tag)
            points = [pair for pair in zip(series.steps, series.values, strict=True) if math.isfinite(pair[1])]
            if points:
                values = [value / scale for _, value in points]
                found.append(Logged(run.run, item.tag, points[-1][0], values[-1], min(values), max(values)))
    return found
