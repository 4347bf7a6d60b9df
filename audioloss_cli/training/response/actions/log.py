"""Log the alert with full diagnostics: as an error if it is critical, as a warning else."""

import logging
from collections.abc import Iterator

from audioloss_cli.model import Severity
from audioloss_cli.training.response.alert_context import AlertContext, logger

EVERY_RANK = False


def act(case: AlertContext) -> str:
    """One record of several lines, through the logger ``audioloss``."""
    critical = case.alert.severity is Severity.CRITICAL
    logger.log(logging.ERROR if critical else logging.WARNING, "%s", describe_case(case))
    return f"logged as {'an error' if critical else 'a warning'}"


_MOST = 6


def describe_case(case: AlertContext) -> str:
    """The alert, the window, the findings and what could not be examined; one line each."""
    return "\n  ".join(_lines(case))


def _lines(case: AlertContext) -> Iterator[str]:
    alert, seen, found = case.alert, case.diagnostics, case.examination
    late = f" (seen at step {case.step})" if case.step != alert.step else ""
    yield f"{alert.severity} {alert.code} at step {alert.step}{late}: {alert.message}"
    if case.ranks:
        yield case.ranks
    if seen["history_size"]:
        numbers = {name: seen[name] for name in ("min", "median", "max") if seen[name] is not None}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        yield f"window of {seen['window_size']} steps: {seen['history_size']} points, {shown or 'none finite'}"
    yield from (f"{each.severity} {each.code}: {each.message}" for each in found.findings[:_MOST])
    if len(found.findings) > _MOST:
        yield f"and {len(found.findings) - _MOST} findings more"
    if found.diagnoses:
        yield f"likely cause: {found.diagnoses[0].cause}"
    yield from found.notes
    if case.about_the_batch:
        yield case.about_the_batch
