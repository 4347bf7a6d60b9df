"""Which actions an alert asks for."""

import pytest

from audioloss_cli.model import Alert, SettingError, Severity
from audioloss_cli.training import Policy


def alert(severity, edge="fired"):
    return Alert("critical", severity, "low-loss", 1, 0.0, "low", edge, "low-loss@1", 0.0)


def test_the_default():
    for severity in (Severity.CRITICAL, Severity.WARNING):
        assert Policy().actions(alert(severity)) == ["log", "dump", "advise"]
    assert Policy().actions(alert(Severity.INFO)) == []


@pytest.mark.parametrize("edge", ["fired", "escalated", "refired"])
def test_every_edge_asks_anew_but_the_end_and_reminders(edge):
    policy = Policy(critical=("dump", "stop"), warning=("log",))
    assert policy.actions(alert(Severity.CRITICAL, edge)) == ["dump", "stop"]
    assert policy.actions(alert(Severity.WARNING, edge)) == ["log"]
    assert policy.actions(alert(Severity.WARNING, "reminder")) == []
    assert policy.actions(alert(Severity.INFO, "recovered")) == []


@pytest.mark.parametrize("end", ["stop", "raise-error"])
def test_a_reminder_ends_the_run_and_does_no_more(end):
    """It was resumed, for it was to end before; or its loop does not look at what the guard asks for."""
    policy = Policy(critical=("dump", "rollback", end))
    assert policy.actions(alert(Severity.CRITICAL, "reminder")) == [end]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"critical": ("explode",)}, "'explode' is not one of advise, checkpoint, dump"),
        ({"warning": "log"}, "must be a list of actions"),
        ({"options": {"rollback": {"skp": 3}}}, "'skp' is none of rollback; it has skip"),
        ({"options": {"stop": {"now": 3}}}, "it has none"),
        ({"options": {"halt": {}}}, "'halt' is not one of"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(settings, complaint):
    with pytest.raises(SettingError, match=complaint):
        Policy(**settings)
