"""Test files: TOML in, checked tests out.

A file has one ``[[test]]`` or more, each with a ``name``, a table ``series`` from tag to notation (see ``notation``),
and what must come of it: ``alerts``, all that is raised but for reminders and recoveries, or ``firing``, what fires at
a step, or both. ``interval`` and ``start`` are training steps; with ``exact = true`` recoveries must be listed too.
``[config]`` and ``[test.config]`` have the keys of ``audioloss.toml``; the latter beats the former.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from audioloss_cli.alert_tests.expectation import LAST_STEP, ExpectedAlert, ExpectedFiring
from audioloss_cli.alert_tests.notation import NotationError, expand
from audioloss_cli.alert_tests.settings import Settings
from audioloss_cli.alert_tests.table import Table, hint, shown
from audioloss_cli.config import ConfigError, ScanConfig, read_toml
from audioloss_cli.model import Series

_KEYS = ("name", "interval", "start", "series", "config", "alerts", "firing", "exact")
_LONGEST_INTERVAL = 2**40


@dataclass(frozen=True, slots=True)
class AlertTest:
    """One test.

    Attributes:
        path: of its file.
        name: of the test.
        where: file, number and name, for messages.
        series: what is logged.
        config: how it is audited.
        alerts: every alert that must be raised; None if the test does not say.
        firing: what must fire at certain steps.
        exact: recoveries must be among the alerts too.
    """

    path: Path
    name: str
    where: str
    series: list[Series]
    config: ScanConfig
    alerts: list[ExpectedAlert] | None
    firing: list[ExpectedFiring]
    exact: bool


def read_tests(path: Path, base: Path | None = None) -> list[AlertTest]:
    """The tests of a file.

    Args:
        path: the file.
        base: a configuration file under the settings of the test file.

    Raises:
        ConfigError: either file cannot be read or makes no sense, or there is no test in it.
    """
    settings = Settings.read(base)
    file = Table(read_toml(path), str(path), ("config", "test"))
    if "config" in file:
        settings = settings.under(file.content["config"], f"{path}: config")
    tests = [_test(path, content, where, settings) for content, where in file.tables("test", "test")]
    if not tests:
        raise ConfigError(f"{path}: there is no test in it; what tests nothing must not pass: add a [[test]]")
    return tests


def named(tests: Sequence[AlertTest], names: Sequence[str]) -> list[AlertTest]:
    """Return the tests of these names; all of them if no name is given.

    Args:
        tests: those that there are.
        names: names, or globs over them.

    Raises:
        ConfigError: a name is that of no test: what tests nothing must not pass.
    """
    for name in names:
        if not any(_is_named(test, name) for test in tests):
            raise ConfigError(
                f"--run {shown(name)} is the name of no test; {hint(name, {test.name for test in tests})}"
            )
    return [test for test in tests if not names or any(_is_named(test, name) for name in names)]


def _is_named(test: AlertTest, name: str) -> bool:
    return test.name == name or fnmatchcase(test.name, name)


def _test(path: Path, content: Any, where: str, settings: Settings) -> AlertTest:
    table = Table(content, where, _KEYS)
    name = table.text("name")
    if name is None:
        raise ConfigError(f"{where} lacks a name")
    where = table.where = f"{where} {shown(name)}"
    if "config" in table:
        settings = settings.under(table.content["config"], f"{where}: config")
    series = _series(table)
    tags = [item.tag for item in series]
    steps = min(item.steps[0] for item in series), max(item.steps[-1] for item in series)
    alerts = [ExpectedAlert.parse(*item, tags) for item in table.tables("alerts", "test.alerts")]
    firing = [ExpectedFiring.parse(*item, tags, steps) for item in table.tables("firing", "test.firing")]
    if "alerts" not in table and not firing:
        raise ConfigError(f"{where} lacks alerts: list what must be raised, or write alerts = [] for nothing at all")
    listed = alerts if "alerts" in table else None
    return AlertTest(path, name, where, series, settings.config, listed, firing, table.flag("exact"))


def _series(table: Table) -> list[Series]:
    rows = table.content.get("series")
    if not isinstance(rows, dict) or not rows:
        raise ConfigError(f"{table.where} lacks series: a table [test.series] from tag to points, such as '7-0.01x400'")
    start, interval = table.whole("start", 0, LAST_STEP, 0), table.whole("interval", 1, _LONGEST_INTERVAL, 1)
    found = []
    for tag, row in rows.items():
        where = f"{table.where}: series {shown(tag)}"
        if not isinstance(row, str):
            raise ConfigError(f"{where} must be a string, not {shown(row)}; a tag with a dot in it needs quotes")
        try:
            found.append(expand(row, tag, start, interval))
        except NotationError as error:
            raise ConfigError(f"{where}: {error}") from None
    return found
