"""Every detector under one signature: the series of a run to alarms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import RunReport, Series, Severity
from tests.benchmarks.detection.alarm import Alarm, losses
from tests.benchmarks.peers import PEERS

OURS: dict[str, dict[str, Any]] = {"default": {}, "thresholds": {"adaptive": False}}
NAMES = (*OURS, *PEERS)


@dataclass(frozen=True, slots=True)
class Detector:
    """A name, what it says of a run, and whether it has no incidents, so that near alarms are yet to be made one."""

    name: str
    alarms: Callable[[Sequence[Series]], list[Alarm]]
    merges: bool = True


def config(name: str) -> ScanConfig:
    """Of one of ours."""
    return ScanConfig(**OURS[name])


def lacking(names: Iterable[str]) -> dict[str, str]:
    """Why a detector cannot run here, by name."""
    settings = {field.name for field in fields(ScanConfig)}
    reasons = {}
    for name in names:
        package = import_module(PEERS[name][0]).REQUIRES if name in PEERS else ""
        unknown = set(OURS.get(name, {})) - settings
        if package and not find_spec(package):
            reasons[name] = f"{package} is not installed"
        elif unknown:
            reasons[name] = f"ScanConfig has no {', '.join(unknown)}"
    return reasons


def make(name: str) -> Detector:
    """One of ours or a peer."""
    if name in OURS:
        settings = config(name)
        return Detector(name, lambda run: alarms_of(report_on("sim", run, AuditSettings(settings))), merges=False)
    module, function = PEERS[name]
    judge = getattr(import_module(module), function)

    def alarms(run: Sequence[Series]) -> list[Alarm]:
        watched, beside = losses(run)
        return [alarm for loss in watched for alarm in judge(loss, beside)]

    return Detector(name, alarms)


def alarms_of(report: RunReport) -> list[Alarm]:
    """One for each incident of warning or critical severity, at the step at which it fired."""
    return [
        Alarm(incident.fired_step, item.tag, incident.code)
        for item in report.series
        for incident in item.incidents
        if incident.severity.rank >= Severity.WARNING.rank and incident.fired_step is not None
    ]
