"""A change of scale is named where the level changes by 2, 4, 8, ... and nothing else does."""

import random
from array import array

import pytest

from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Series

STEPS = range(0, 4000, 10)


def causes(factor, *, spread=0.03, noise_after=0.03, ramp=0, pause=1e5, back=0, level=4.0):
    """The first cause of each incident of a run whose loss is ``factor`` times what it was from step 2000 on."""
    noise, steps, values, times = random.Random(3), array("q"), array("d"), array("d")
    for start, end, scale, width, later in (
        (0, 2000, 1.0, spread, 0.0),
        (2000 - back, 4000, factor, noise_after, pause),
    ):
        for step in range(start, end, 10):
            grown = scale if not ramp or scale == 1 else scale ** min((step - start) / ramp, 1.0)
            steps.append(step)
            values.append(level * grown * (1 + noise.gauss(0, width)))
            times.append(1.7e9 + step + later)
    report = report_on("run", [Series("audio_loss", steps, values, times)], AuditSettings(ScanConfig()))
    return [[cause.cause for cause in incident.causes] for item in report.series for incident in item.incidents]


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 1 / 8, 1 / 16])
@pytest.mark.parametrize("back", [0, 300])
def test_a_factor_at_a_resume_is_a_change_of_scale(factor, back):
    found = causes(factor, back=back)
    assert found
    assert "loss-scale" in found[0]


def test_it_is_told_without_a_clock_as_well_but_for_a_factor_of_two():
    assert causes(8, pause=0.0)[0][0] == "loss-scale"


@pytest.mark.parametrize("factor", [1.75, 3.0, 5.6, 1 / 11])
def test_another_factor_is_none(factor):
    assert all("loss-scale" not in each for each in causes(factor))


def test_a_level_with_another_noise_or_that_is_reached_slowly_is_none():
    assert all("loss-scale" not in each for each in causes(4, noise_after=0.3))
    assert all("loss-scale" not in each for each in causes(4, spread=0.01, ramp=800, pause=0.0))
