"""A loss that falls to nothing early."""

import math
import random

from audioloss_cli.monitor import AudioLossMonitor


def watched(level):
    """Codes of the alerts of a loss with noise of a factor of 2.2 either way, and one high point near its start."""
    noise, monitor, codes = random.Random(1), AudioLossMonitor(), set()
    for step in range(900):
        value = 16.0 if step == 2 else level(step) * math.exp(noise.gauss(0, 0.8))
        alerts = monitor.update(0.45 if 700 <= step < 705 and level(step) > 1 else value, step)
        codes |= {alert["code"] for alert in alerts or ()}
    return codes


def test_some_easy_batches_in_a_row_are_not_held_against_one_high_start():
    assert watched(lambda step: 3.0) == set()


def test_a_noisy_loss_that_is_gone_is_found():
    assert "early-drop" in watched(lambda step: 3.0 if step < 600 else 0.05)
