"""Likely causes go wherever their incident goes."""

import json

import pytest

from audioloss_cli import AudioLossMonitor, Report
from audioloss_cli.model import Incident, LikelyCause, RunReport
from audioloss_cli.model.report import Source
from tests.outputs.reports import audited

CAUSES = [LikelyCause("no-shift", 1, ["falls"], ["stays"], "label-leak"), LikelyCause("bad-codes", 2, ["low"], [], "x")]


@pytest.fixture
def incident() -> Incident:
    monitor = AudioLossMonitor()
    monitor.update(0.001, 7, 1.5)
    return monitor.incidents[0]


def test_nobody_has_asked_yet(incident):
    assert incident.causes == incident["causes"] == []


def test_a_state_keeps_them(incident):
    incident.causes = CAUSES
    again = Incident.from_state(json.loads(json.dumps(incident.to_state())))
    assert repr(again) == repr(incident)  # an unknown time is NaN, which equals nothing
    assert again.causes[0]["confirm"] == "label-leak"


def test_a_state_of_an_older_release_has_none(incident):
    state = incident.to_state()
    del state["causes"]
    assert repr(Incident.from_state(state)) == repr(incident)


def test_a_frame_names_them():
    item = audited("loss", [3.0] * 20 + [0.001] * 20)
    item.incidents[0].causes = CAUSES
    report = Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [item, audited("other", [3.0, 0.001])])])
    frame = report.to_frame().incidents
    assert frame["causes"].tolist()[0] == "no-shift, bad-codes"
    assert frame["causes"].tolist()[-1] == ""
