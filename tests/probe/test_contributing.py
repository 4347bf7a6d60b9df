"""The check in CONTRIBUTING.md is one."""

from audioloss_cli import Severity
from audioloss_cli.model import RuleText
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Layout
from tests.test_contributing import CHECK, plugin


def test_the_check_is_one():
    check = plugin(CHECK)
    evidence = Evidence(Layout("none", (), 8, 1026), {"learning_rate": -1.0})
    assert [problem.severity for problem in check.check(evidence)] == [Severity.CRITICAL]
    assert RuleText.of(check).fix == "Check the scheduler."
