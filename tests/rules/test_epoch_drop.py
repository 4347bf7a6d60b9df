"""Stairs at the epochs are memorised data; a single long step is another task."""

import itertools
import random

import pytest

from audioloss_cli.monitor import AudioLossMonitor

CODE = "epoch-drop"


def codes(levels, *, rows=80, stride=10, whole=False):
    """Of a run with a level an epoch, ``rows`` points each."""
    noise, monitor, said = random.Random(6), AudioLossMonitor(), list[tuple[str, int]]()
    for number in range(rows * len(levels)):
        epoch = number / rows
        loss = levels[int(epoch)] * (1 + noise.gauss(0, 0.04))
        beside = {"epoch": float(int(epoch)) if whole else epoch}
        said += [(alert.code, int(epoch)) for alert in monitor.update(loss, number * stride, 0.0, beside)]
    return [each for each in said if each[0] == CODE]


@pytest.mark.parametrize("ratio", [1.3, 1.7, 2.2])
@pytest.mark.parametrize("rows", [40, 80, 160])
def test_stairs_are_healthy(ratio, rows):
    levels = list(itertools.accumulate([5.0, *[1 / ratio] * 4], lambda level, factor: level * factor))
    assert codes(levels, rows=rows) == []


def test_stairs_that_get_longer_are_healthy():
    assert codes([5.0, 3.4, 1.9, 0.72]) == []


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_a_long_step_without_stairs_before_it_is_none_of_them(epoch, whole):
    assert codes([*[4.5] * epoch, *[1.4] * 2], whole=whole)[0] == (CODE, epoch)


def test_a_step_twice_as_long_as_the_one_before_is_none_of_them():
    assert codes([5.0, 4.2, 0.9, 0.9])[0] == (CODE, 2)


def test_the_start_of_the_run_is_no_stair():
    start = [7.0, 6.5, 6.0, 5.6, 5.2, 4.9, 4.7, 4.5, 4.3, 4.2]
    monitor, said = AudioLossMonitor(), list[str]()
    for number in range(160):
        loss = (start[number] if number < len(start) else 4.0) if number < 80 else 1.2
        loss *= 1 + 0.01 * (number % 3)
        said += [alert.code for alert in monitor.update(loss, number * 10, 0.0, {"epoch": number / 80})]
    assert CODE in said


def test_a_point_of_noise_after_the_boundary_does_not_hide_it():
    noise, monitor, said = random.Random(3), AudioLossMonitor(), list[str]()
    for number in range(200):
        loss = (4.0 if number < 100 else 1.2) * (1 + noise.gauss(0, 0.03))
        loss = {98: 2.5, 101: 1.75}.get(number, loss)
        said += [alert.code for alert in monitor.update(loss, number * 100, 0.0, {"epoch": number / 100})]
    assert CODE in said
