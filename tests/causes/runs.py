"""Runs with the marks of one cause each, and what is said of them."""

import math
import random
from collections.abc import Callable

from audioloss_cli import Limits, Series, Severity
from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.causes import explain
from audioloss_cli.causes._scene import Company, Scene
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Incident, LikelyCause
from audioloss_cli.model.series_report import AuditedSeries

CHANCE = math.log(1026)
Curve = Callable[[int], float]


def series(tag: str, curve: Curve, last: int = 1000, every: int = 5, **more) -> Series:
    steps = range(0, last + 1, every)
    return Series(tag, list(steps), [float(curve(step)) for step in steps], **more)


def noisy(curve: Curve, share: float = 0.02, seed: int = 1) -> Curve:
    noise = random.Random(seed)
    return lambda step: curve(step) * math.exp(noise.gauss(0, share))


def healthy(step: int) -> float:
    """From chance slowly towards 4 nats."""
    return 4 + (CHANCE - 4) * math.exp(-step / 300)


def falling(steps: float, start: float = CHANCE, floor: float = 0.001) -> Curve:
    """Exponentially, to 1/e within ``steps``: from chance below 0.01 within about 7 times as many."""
    return lambda step: floor + start * math.exp(-step / steps)


def until(step: int, before: Curve, after: Curve) -> Curve:
    return lambda now: before(now) if now < step else after(now)


def always(value: float) -> Curve:
    return lambda _: value


def causes(tag: str, *run: Series) -> list[LikelyCause]:
    """Those of the gravest incident of a tag, as a scan finds it."""
    report = report_on("run", list(run), AuditSettings(ScanConfig()))
    (item,) = (item for item in report.series if item.tag == tag)
    return max(item.incidents, key=lambda each: (each.severity.rank, each.group == "low-loss", each.points)).causes


def causes_of(code: str, first: int, last: int, *run: Series) -> list[LikelyCause]:
    """Those of an incident of the first series, whatever rules there are."""
    values = [value for step, value in zip(run[0].steps, run[0].values, strict=True) if first <= step <= last]
    worst = min(values, default=math.nan)
    incident = Incident("run:1", code, "warning", Severity.WARNING, code, 0, first, last, worst, first, first)
    incident.resolution = "run_ended"
    items = [AuditedSeries(each, "audio", Limits(), [0], []) for each in run]
    items[0].incidents = [incident]
    explain(items, run)
    return incident.causes


def scene_of(first: int, run: Series) -> Scene:
    """An incident of a run of one series, from a step to the end."""
    value, last = run.values[run.steps.index(first)], run.steps[-1]
    incident = Incident("run:1", "code", "warning", Severity.WARNING, "code", 0, first, last, value, first, first)
    return Scene(incident, AuditedSeries(run, "audio", Limits(), [0], [incident]), Company({run.tag: run}))


def slugs(found: list[LikelyCause]) -> list[str]:
    return [cause.cause for cause in found]


def clauses(found: list[LikelyCause], slug: str) -> str:
    """What is said for and against one cause."""
    (cause,) = (cause for cause in found if cause.cause == slug)
    return "; ".join(cause.evidence) + "".join(f" BUT {clause}" for clause in cause.against)
