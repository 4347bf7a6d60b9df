"""A point of a series, and what holds it."""

import copy
import math
import pickle

import pytest

from audioloss_cli import AudioLossMonitor
from audioloss_cli.model.point import NOTHING, Point


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_nothing_beside_a_point_is_one_for_all(copied):
    assert copied(Point(1, 2.0, math.nan)).beside is NOTHING
    assert (len(NOTHING), list(NOTHING), NOTHING.get("total"), dict(NOTHING)) == (0, [], None, {})
    with pytest.raises(TypeError, match="nothing can be put there"):
        NOTHING["total"] = 1.0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_monitor_can_be_copied_in_the_middle_of_a_series(copied):
    monitor = AudioLossMonitor()
    for step in range(1, 50):
        monitor.update(5 - step / 100, step)
    again = copied(monitor)
    assert again.state_dict() == monitor.state_dict()
    assert [alert.code for alert in again.update(math.nan, 50)] == ["non-finite-loss"]
    assert monitor.diagnostics()["points"] == 49
