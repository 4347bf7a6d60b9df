"""Records that read like a dict, and text that is safe to print."""

import json
import pickle

import pytest

from audioloss_cli import Alert, AudioLossMonitor
from audioloss_cli.model import RecoveryAttempt, printable, shortened


@pytest.fixture
def alert() -> Alert:
    (alert,) = AudioLossMonitor().update(0.001, 7, 1.5)
    return alert


def test_every_field_is_a_key_and_nothing_else_is(alert):
    assert list(alert) == [
        "type",
        "severity",
        "code",
        "step",
        "value",
        "message",
        "edge",
        "incident",
        "wall_time",
        "advice",
    ]
    assert len(alert) == 10
    assert "type" in alert
    for no_key in ("nothing", "keys", "_names", "__class__", 0, None):
        assert no_key not in alert
        with pytest.raises(KeyError):
            alert[no_key]


def test_it_goes_wherever_a_mapping_goes(alert):
    assert dict(alert)["type"] == {**alert}["type"] == alert["type"] == alert.type == "critical"
    assert alert.get("nothing", 5) == 5
    assert "{step}: {type}".format(**alert) == "7: critical"
    assert json.loads(json.dumps(dict(alert))) == dict(alert)
    match alert:
        case {"type": "critical", "step": step}:
            assert step == 7
        case _:
            pytest.fail("a mapping pattern did not match")


def test_an_alert_cannot_be_changed_and_can_be_kept_in_a_set(alert):
    with pytest.raises(AttributeError):
        alert.step = 8
    with pytest.raises(TypeError):
        alert["step"] = 8
    assert {alert, pickle.loads(pickle.dumps(alert))} == {alert}


def test_an_attempt_shows_its_outcome_as_it_comes():
    attempt = RecoveryAttempt(7, "roll back", 1.5)
    assert dict(attempt) == {
        "step": 7,
        "action": "roll back",
        "timestamp": 1.5,
        "recovered": None,
        "recovered_step": None,
    }
    attempt.recovered = True
    assert attempt["recovered"] is True


def test_an_incident_and_its_edges_are_mappings_too():
    monitor = AudioLossMonitor()
    monitor.update(0.001, 7, 1.5)
    (incident,) = monitor.incidents
    assert (incident["first_step"], incident["timeline"][0]["edge"]) == (7, "fired")
    assert "state" not in incident  # a property is no field


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("loss/audio", "loss/audio"),
        ("été 損失 😀", "été 損失 😀"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\r\tc\x00\x07", r"a\nb\r\tc\x00\x07"),
        ("\udcff", r"\udcff"),
        ("\x9b31m", r"\x9b31m"),
        ("right\u202eleft\u200b", r"right\u202eleft\u200b"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("tag\U000e0041", r"tag\U000e0041"),
    ],
)
def test_what_is_not_to_be_looked_at_is_escaped(text, shown):
    assert printable(text) == shown


def test_a_long_text_loses_its_middle():
    assert shortened("x" * 1000) == "x" * 1000
    assert shortened("a" * 600 + "b" * 9_000 + "c" * 600) == f"{'a' * 500} [... 9,200 characters ...] {'c' * 500}"
