"""trainspotter: its default detectors on one run in memory.

Each loss series is given to it as ``train/loss``, the name that it looks for. A finding counts from its first step on,
for its spike detector only looks back; a sustained growth is judged over the last quarter of the log and counts at the
last step. Its plateau detector is left out: it never says more than ``info``, and takes most of the time.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from audioloss_cli.model import Series, is_missing
from tests.benchmarks.detection.alarm import Alarm

REQUIRES = "trainspotter"


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """Findings of severity warning and error."""
    yield from (_alarm(item, loss.tag) for item in _findings(loss, beside) if item.severity != "info")


def with_info(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """Of severity info as well, such as a loss that is suspiciously low early in the run."""
    yield from (_alarm(item, loss.tag) for item in _findings(loss, beside))


def _findings(loss: Series, beside: Sequence[Series]) -> list[Any]:
    from trainspotter import Run, default_detectors, run_all

    run = Run()
    for name, series in {"train/loss": loss, **{item.tag: item for item in beside}}.items():
        for step, value in zip(series.steps, series.values, strict=True):
            if not is_missing(value):  # its own reader skips an empty cell
                run.add_point(name, int(step), float(value))
    run.finalize()
    return run_all(run, [item for item in default_detectors() if item.name != "plateau"])


def _alarm(finding: Any, tag: str) -> Alarm:
    """Its growth and its floor are known at their last step, everything else at the first."""
    late = "growth" in finding.title or finding.detector == "loss_floor"
    return Alarm(finding.step_end if late else finding.step_start, tag, finding.detector)
