"""Limits: what makes sense is taken, whatever its type; what does not is refused by name."""

import json
import math
from dataclasses import astuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from audioloss_cli import Limits
from audioloss_cli.model import SettingError

VAST = pytest.param(10**400, id="beyond float64")
BEYOND_PRINT = pytest.param(10**5000, id="beyond print")  # Python refuses to print so many digits


@pytest.mark.parametrize("size", [1, 2**62, np.int8(7), np.uint64(7)])
def test_a_window_is_any_whole_number_of_steps(size):
    assert Limits(window_size=size).window_size == int(size)


@pytest.mark.parametrize(
    "size", [0, -1, 1.0, np.float64(7), "7", None, True, np.bool_(True), 2**62 + 1, math.nan, BEYOND_PRINT]
)
def test_any_other_window_is_refused(size):
    with pytest.raises(SettingError, match="window_size must be a whole number of steps, at least 1, not") as refused:
        Limits(window_size=size)
    assert refused.value.field == "window_size"
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize("threshold", [1, 0.5, np.float16(0.5), np.float32(0.5), np.int64(1), Fraction(1, 2), 5e300])
def test_a_threshold_is_any_real_number(threshold):
    assert Limits(threshold=threshold).threshold == float(threshold)


@pytest.mark.parametrize(
    "threshold",
    [-0.001, math.nan, math.inf, -math.inf, np.float32("nan"), "8", None, True, np.bool_(True), 1j, VAST, BEYOND_PRINT],
)
@pytest.mark.parametrize("name", ["threshold", "critical_threshold"])
def test_any_other_threshold_is_refused(name, threshold):
    with pytest.raises(SettingError, match=f"^{name} must be a finite number, 0 or more, not") as refused:
        Limits(**{name: threshold})
    assert refused.value.field == name


def test_a_decimal_is_refused_rather_than_rounded():
    with pytest.raises(SettingError, match=r"not Decimal\('0.01'\)"):
        Limits(threshold=Decimal("0.01"))


def test_a_complaint_is_short_whatever_was_passed():
    with pytest.raises(SettingError) as refused:
        Limits(threshold="x" * 10_000)
    assert len(str(refused.value)) < 120


def test_the_critical_threshold_may_equal_the_other_and_no_more():
    assert Limits(10, 0.5, 0.5).critical_threshold == 0.5
    with pytest.raises(SettingError, match=r"critical_threshold \(0.6\) must not be above") as refused:
        Limits(10, 0.5, 0.6)
    assert refused.value.field == "critical_threshold"


def test_zero_thresholds_are_taken():
    assert astuple(Limits(1, 0, 0)) == (1, 0.0, 0.0)


def test_what_is_kept_is_built_in():
    limits = Limits(np.int64(7), np.float32(0.5), Fraction(1, 4)).scaled(np.float16(2))
    assert [type(value) for value in astuple(limits)] == [int, float, float]
    assert json.dumps(astuple(limits)) == "[7, 1.0, 0.5]"


def test_scaled_moves_the_thresholds_and_leaves_the_window():
    assert Limits(7, 0.5, 0.25).scaled(8) == Limits(7, 4.0, 2.0)


@pytest.mark.parametrize("scale", [0, -0.0, -1, math.nan, math.inf, "8", None, True, VAST, BEYOND_PRINT])
def test_any_other_scale_is_refused(scale):
    with pytest.raises(SettingError, match=r"^scale must be a finite number, above 0, not") as refused:
        Limits().scaled(scale)
    assert refused.value.field == "scale"
