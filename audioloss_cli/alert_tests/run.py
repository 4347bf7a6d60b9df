"""One test run: its series audited as a run of a log would be, its alerts held against what was expected."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from audioloss_cli.alert_tests.expectation import ExpectedAlert, ExpectedFiring
from audioloss_cli.alert_tests.file import AlertTest
from audioloss_cli.alert_tests.happened import Happened, alerts_of, firing_at
from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ConfigError
from audioloss_cli.model import RunReport, SeriesReport, SettingError

# The name of a run may be part of a tag's (torch's add_scalars); no tag makes anything of this one.
_RUN = "test"


@dataclass(frozen=True, slots=True)
class FiringDifference:
    """What was expected to fire at a step and did not, and what did and was not expected."""

    at: int
    missing: list[str]
    unexpected: list[Happened]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a test.

    Attributes:
        test: the test.
        audited: tags of the series that the monitor watched.
        note: what the audit says of itself, such as that it fell back on the training loss.
        happened: every alert.
        missing: expected alerts that were not raised.
        unexpected: alerts that were raised and not expected.
        firing: expectations of what fires that did not hold.
        seconds: that it took.
    """

    test: AlertTest
    audited: list[str]
    note: str
    happened: list[Happened]
    missing: list[ExpectedAlert]
    unexpected: list[Happened]
    firing: list[FiringDifference]
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not (self.missing or self.unexpected or self.firing)


def run_test(test: AlertTest) -> Result:
    """Run one test.

    Raises:
        ConfigError: a loss of the test, or a tag that it names, is not audited: whatever it expects says nothing.
    """
    start = time.perf_counter()
    try:
        report = report_on(_RUN, test.series, AuditSettings(test.config))
    except SettingError as error:
        raise ConfigError(f"{test.where}: config: {error}") from None
    audited = [item.tag for item in report.series]
    _check_audited(test, report, audited)
    happened = alerts_of(report.series)
    missing, unexpected = _compare(test, happened)
    firing = [found for wanted in test.firing for found in _firing_difference(wanted, report.series)]
    seconds = time.perf_counter() - start
    return Result(test, audited, report.note, happened, missing, unexpected, firing, seconds)


def _check_audited(test: AlertTest, report: RunReport, audited: list[str]) -> None:
    if report.blank:
        raise ConfigError(f"{test.where}: {report.note}; a loss without a single number is not audited: give it one")
    if not audited:
        remedy = "name a series like a loss, such as audio_loss, or set tag in the config of the test"
        raise ConfigError(f"{test.where}: {report.note}; {remedy}")
    for named in (*(test.alerts or ()), *test.firing):
        if named.tag is not None and named.tag not in audited:
            listed = ", ".join(audited)
            raise ConfigError(
                f"{test.where}: {named.tag!r} is not audited, so nothing can fire there; audited: {listed}"
            )


def _compare(test: AlertTest, happened: list[Happened]) -> tuple[list[ExpectedAlert], list[Happened]]:
    """What is missing, and what was not expected; a recovery need not be listed unless the test is exact."""
    if test.alerts is None:
        return [], []
    owners = _pair(test.alerts, happened)
    missing = [alert for index, alert in enumerate(test.alerts) if index not in owners.values()]
    rest = [alert for index, alert in enumerate(happened) if index not in owners]
    return missing, [alert for alert in rest if test.exact or alert.edge != "recovered"]


def _pair(expected: Sequence[ExpectedAlert], happened: Sequence[Happened]) -> dict[int, int]:
    """Index of an alert -> index of the expectation that it meets, one to one, as many as can be (Kuhn's algorithm)."""
    owners: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        fits = [number for number, alert in enumerate(happened) if expected[index].matches(alert)]
        for number in sorted(fits, key=owners.__contains__):  # a free one first
            if number not in tried:
                tried.add(number)
                if number not in owners or place(owners[number], tried):
                    owners[number] = index
                    return True
        return False

    for index in range(len(expected)):
        place(index, set())
    return owners


def _firing_difference(wanted: ExpectedFiring, series: Sequence[SeriesReport]) -> list[FiringDifference]:
    firing = firing_at(wanted.at, series, wanted.tag)
    there = {alert.code for alert in firing}
    unexpected = [alert for alert in firing if alert.code not in wanted.codes]
    missing = sorted(wanted.codes - there)
    return [FiringDifference(wanted.at, missing, unexpected)] if missing or unexpected else []
