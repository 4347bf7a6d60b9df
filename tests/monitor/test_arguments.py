"""What a training loop may pass, in the types it happens to have."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Limits
from audioloss_cli.model import SettingError
from tests.monitor.test_update import feed

FLOATS = [np.float16, np.float32, np.float64, np.longdouble]
NUMBERS = [*FLOATS, np.int8, np.uint8, np.int64, np.uint64]
VAST = pytest.param(10**400, id="beyond float64")
BEYOND_PRINT = pytest.param(10**5000, id="beyond print")  # Python refuses to print so many digits


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_numpy_scalar_is_judged_by_its_own_value(dtype):
    (alert,) = AudioLossMonitor().update(dtype(0.004), 1)
    assert (type(alert.value), alert.value, alert.type) == (float, float(dtype(0.004)), "critical")
    assert AudioLossMonitor().update(dtype(0.02), 1) == []
    assert [alert.code for alert in AudioLossMonitor().update(dtype("nan"), 1)] == ["non-finite-loss"]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_every_dtype_is_a_loss(dtype):
    monitor = AudioLossMonitor()
    assert feed(monitor, (0, dtype(3)), (1, dtype(0)), (2, np.array(3, dtype))) == [(1, "critical"), (2, "recovered")]
    assert monitor.diagnostics()["max"] == 3.0


@pytest.mark.parametrize(("loss", "value"), [(10**400, math.inf), (-(10**400), -math.inf)], ids=["plus", "minus"])
def test_a_whole_number_beyond_float64_is_infinite(loss, value):
    assert AudioLossMonitor().update(loss, 1)[0].value == value


@pytest.mark.parametrize(
    "loss",
    [np.str_("0.004"), np.array([0.004]), np.array([]), np.zeros((1, 1)), np.complex64(1j)],
)
def test_what_is_not_one_number_is_refused_and_leaves_no_trace(loss):
    monitor = AudioLossMonitor()
    feed(monitor, (7, 0.001))
    before = repr(monitor.state_dict())
    with pytest.raises(TypeError, match="loss must be one number, not"):
        monitor.update(loss, 8)
    with pytest.raises(TypeError, match="step must be a whole number, not"):
        monitor.update(2.0, "8")
    assert repr(monitor.state_dict()) == before


def test_without_a_wall_time_it_is_now():
    monitor = AudioLossMonitor()
    before = time.time()
    (fired,) = monitor.update(0.001, 1)
    between = time.time()
    (recovered,) = monitor.update(2.0, 2)
    assert before <= fired.wall_time <= between <= recovered.wall_time <= time.time()
    assert monitor.incidents[0].first_wall_time == fired.wall_time


@pytest.mark.parametrize("wall_time", [0, 0.0, np.float32(1.5)])
def test_a_wall_time_is_kept_as_a_float(wall_time):
    (alert,) = AudioLossMonitor().update(0.001, 1, wall_time)
    assert (type(alert.wall_time), alert.wall_time) == (float, float(wall_time))


@pytest.mark.parametrize("scale", [8, 8.0, np.float32(8), np.int64(8), Fraction(8)])
def test_a_scale_is_any_number_above_zero(scale):
    assert AudioLossMonitor(scale=scale).limits == Limits(100, 0.08, 0.04)


@pytest.mark.parametrize("scale", [0, 0.0, -1, math.nan, math.inf, "8", None, True, 1j, VAST, BEYOND_PRINT])
def test_any_other_scale_is_refused_in_words(scale):
    with pytest.raises(SettingError, match="scale must be a finite number, above 0, not"):
        AudioLossMonitor(scale=scale)


def test_a_scale_that_carries_the_thresholds_beyond_float64_is_refused():
    with pytest.raises(SettingError, match="threshold must be a finite number"):
        AudioLossMonitor(threshold=1e300, scale=1e300)
