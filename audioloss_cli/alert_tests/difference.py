"""What came of a test, in words: a line, and below it what was expected and did not happen, and the other way round.

Alerts are shown as a test file would list them, so that a line can be copied into it.
"""

import json
import math
from collections.abc import Iterator

from audioloss_cli.alert_tests.expectation import ExpectedAlert
from audioloss_cli.alert_tests.happened import Happened
from audioloss_cli.alert_tests.run import FiringDifference, Result
from audioloss_cli.model import is_missing, printable

_LEGEND = ("  --- expected", "  +++ happened")


def lines_of(result: Result, *, verbose: bool = False) -> Iterator[str]:
    """The verdict, then the difference; with ``verbose`` also what was audited and every alert.

    Lines of alerts begin with ``-`` (expected, did not happen), ``+`` (happened, not expected) or a blank (as
    expected, or a recovery that need not be), by step.
    """
    test = result.test
    yield printable(f"{'PASS' if result.passed else 'FAIL'} {test.path}: {test.name}")
    if verbose:
        yield printable(f"  audited: {', '.join(result.audited)}")
    if result.note and (verbose or not result.passed):
        yield printable(f"  note: {result.note}")
    if not result.passed:
        yield from _LEGEND
    yield from _alert_lines(result, verbose=verbose)
    for each in result.firing:
        yield from _firing_lines(each)


def _alert_lines(result: Result, *, verbose: bool) -> Iterator[str]:
    rows = [(alert.step, "-", _expected(alert)) for alert in result.missing]
    rows += [(alert.step, "+", _happened(alert)) for alert in result.unexpected]
    if verbose:
        rest = [alert for alert in result.happened if alert not in result.unexpected]
        rows += [(alert.step, " ", _happened(alert)) for alert in rest]
    for _, mark, text in sorted(rows, key=lambda row: row[0]):
        yield f"  {mark} {text}"


def _firing_lines(each: FiringDifference) -> Iterator[str]:
    yield f"  firing at step {each.at}"
    for code in each.missing:
        yield f"  - {_quoted(code)}"
    for alert in each.unexpected:
        yield f"  + {_quoted(alert.code)}  # {_number(alert.value)} since step {alert.step}, {printable(alert.tag)}"


def _expected(alert: ExpectedAlert) -> str:
    named = {
        "code": alert.code,
        "type": alert.type,
        "severity": alert.severity,
        "edge": alert.edge,
        "tag": alert.tag,
    }
    parts = [f"{key} = {_quoted(value)}" for key, value in named.items() if value is not None]
    return f"{{{', '.join([f'step = {alert.step}', *parts])}}}"


def _happened(alert: Happened) -> str:
    shown = ExpectedAlert(alert.step, alert.code, alert.type, str(alert.severity), alert.edge, alert.tag)
    return f"{_expected(shown)}  # {_number(alert.value)}"


def _number(value: float) -> str:
    """As the notation spells it."""
    if is_missing(value):
        return "null"
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def _quoted(text: str) -> str:
    """A TOML string; what is no character to look at would not survive a terminal anyway."""
    return json.dumps(printable(text), ensure_ascii=False)
