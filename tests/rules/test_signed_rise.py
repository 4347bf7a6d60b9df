"""A loss that is negative by nature and rises."""

import random

import pytest

from audioloss_cli.monitor import AudioLossMonitor


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("stride", [50, 500])
def test_it_is_found_in_a_sparse_noisy_log(stride, seed):
    noise, monitor = random.Random(seed), AudioLossMonitor()
    for number in range(200):
        monitor.update((-14.5 if number < 150 else 2.5) + noise.gauss(0, 1.7), number * stride)
    ((code, step),) = [(each.code, each.first_step) for each in monitor.finish()]
    assert (code, step) == ("signed-rise", 152 * stride)
