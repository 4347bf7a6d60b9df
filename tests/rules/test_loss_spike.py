"""Noise that stays for many points takes a loss up by itself, which is no spike."""

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Series
from tests.simulator import simulate


def codes(series):
    monitor = AudioLossMonitor()
    monitor.replay(series)
    return {incident.code for incident in monitor.finish()}


@pytest.mark.parametrize(
    ("family", "seed", "cadence"),
    [
        ("pretraining", 20000019, 1),
        ("chance_warmup", 20000017, 1),
        ("rounded_with_amp", 20000033, 5),
        ("plateau", 20000049, 5),
    ],
)
def test_a_loss_that_noise_has_taken_as_high_before_has_no_spike(family, seed, cadence):
    run = simulate(family, seed, cadence, 0.15)
    assert codes(run.series[run.audited]) == set()


@pytest.mark.parametrize("seed", range(3))
def test_a_spike_of_a_loss_that_wanders_is_found(seed):
    series = simulate("plateau", seed, 1, 0.15).series["train/audio_loss"]
    values = np.array(series.values)
    values[3000:3010] *= 4
    assert codes(Series("loss", series.steps, values, series.wall_times)) == {"loss-spike"}
