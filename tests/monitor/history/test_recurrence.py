"""Losses that are the same in every epoch, to the last digit; live and replay alike."""

import random
from array import array

import numpy as np
import pytest

from audioloss_cli.model import Series
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.monitor.history.recurrence import Recurrence

CODE = "repeated-losses"


def epochs(period, count, digits, *, before=0, seed=4):
    noise = random.Random(seed)
    once = [round(4.6 + noise.gauss(0, 0.2), digits) for _ in range(period)]
    return [round(4.6 + noise.gauss(0, 0.2), digits) for _ in range(before)] + once * count


def said(values, chunks):
    monitor = AudioLossMonitor()
    if chunks is None:
        for step, value in enumerate(values):
            monitor.update(value, step, 0.0)
    else:
        for start in range(0, len(values), chunks):
            part = array("d", values[start : start + chunks])
            monitor.replay(Series("loss", array("q", range(start, start + len(part))), part), arrays=True)
    state = monitor.state_dict()
    return [(each.code, each.first_step, each.points) for each in monitor.finish()], state["past"]["recurrence"]


@pytest.mark.parametrize("period", [12, 60, 1000, 3001])
@pytest.mark.parametrize("digits", [3, 15])
def test_epochs_that_are_alike_are_found_in_the_third(period, digits):
    values = epochs(period, 4, digits)
    found, state = said(values, None)
    assert [(code, step) for code, step, _ in found] == [(CODE, 2 * period + 11)]
    for chunks in (len(values), 777):
        assert said(values, chunks) == (found, state)


@pytest.mark.parametrize("known", range(15))
def test_it_is_found_however_much_of_the_beginning_is_known(known):
    """A chunk that ended after 9 to 11 points hid all that came again in the next one."""
    values = np.array(epochs(60, 3, 15))
    live, skipped = Recurrence(), Recurrence()
    came = [index for index, value in enumerate(values) if live.see(value)]
    assert came == [71, 131]
    for value in values[:known]:
        skipped.see(value)
    assert skipped.until_found(values[known:]) == came[0] - known
    skipped.skip(values[known : came[0]])
    assert skipped.see(values[came[0]])
    assert skipped.until_found(values[came[0] + 1 :]) == came[1] - came[0] - 1
    skipped.skip(values[came[0] + 1 : came[1]])
    assert skipped.see(values[came[1]])
    skipped.skip(values[came[1] + 1 :])
    assert skipped.state_dict() == live.state_dict()


@pytest.mark.parametrize("count", [1, 2])
def test_epochs_that_are_alike_once_may_be_a_resume_that_was_logged_twice(count):
    assert said(epochs(500, count, 15), None)[0] == []


def test_coarse_values_are_alike_by_chance_and_no_recurrence():
    noise = random.Random(5)
    values = [round((3.0 + noise.gauss(0, 0.05)) * 64) / 64 for _ in range(20_000)]
    assert said(values, None) == said(values, 20_000)
    assert CODE not in [code for code, *_ in said(values, None)[0]]


def test_it_is_saved():
    values, half = epochs(100, 3, 15), AudioLossMonitor()
    for step, value in enumerate(values[:150]):
        half.update(value, step, 0.0)
    whole = AudioLossMonitor()
    whole.load_state_dict(half.state_dict())
    for step, value in enumerate(values[150:], 150):
        whole.update(value, step, 0.0)
    assert [each.code for each in whole.incidents] == [CODE]
