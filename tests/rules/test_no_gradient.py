"""A loss that does not move, where no step is taken."""

import math
import random

import pytest

from audioloss_cli.monitor import AudioLossMonitor

CODE = "no-gradient"


def said(level, beside, *, points=400, stride=10, spread=0.03):
    noise, monitor = random.Random(7), AudioLossMonitor()
    for number in range(points):
        step = number * stride
        monitor.update(level(step) * (1 + noise.gauss(0, spread)), step, 0.0, beside(step))
    return [(each.code, each.first_step) for each in monitor.finish()]


def flat(step):
    return 5.2


def falling(step):
    return 3.5 + 3.4 * math.exp(-step / 1500)


@pytest.mark.parametrize(("name", "value"), [("grad_norm", 0.0), ("grad_norm", math.nan), ("learning_rate", 0.0)])
def test_it_is_found_from_the_start_on(name, value):
    ((code, step),) = said(flat, lambda step: {name: value})
    assert (code, step < 2500) == (CODE, True)


@pytest.mark.parametrize("stride", [1, 10, 50])
@pytest.mark.parametrize("after", [{"grad_norm": math.nan}, {"grad_norm": 0.0}, {}])
def test_it_is_found_where_gradients_die(stride, after):
    alive = 100 * stride
    beside = {"grad_norm": 1.2, "learning_rate": 1e-4}
    found = said(
        lambda step: falling(min(step, alive)),
        lambda step: beside if step < alive else {"learning_rate": 1e-4} | after,
        points=1500 if stride == 1 else 400,
        stride=stride,
    )
    ((code, step),) = found
    assert code == CODE
    assert alive <= step <= alive + 130 * stride


@pytest.mark.parametrize(
    "beside",
    [
        lambda step: {"grad_norm": 0.0},  # as some engines log it
        lambda step: {"grad_norm": math.nan if step % 100 else 1.0},  # nine of ten: the loss scaler
        lambda step: {"learning_rate": 0.0},  # printed with too few digits
    ],
)
def test_a_loss_that_falls_all_the_same_is_healthy(beside):
    assert said(falling, beside) == []


def test_a_loss_that_does_not_move_while_steps_are_taken_is_not_its_business():
    assert said(flat, lambda step: {"grad_norm": 1.0, "learning_rate": 1e-5}) == []
    assert said(flat, lambda step: {}) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_norm_of_zero_beside_a_noisy_loss_that_was_learnt_long_ago_says_nothing(seed):
    noise, monitor = random.Random(seed), AudioLossMonitor()
    for step in range(0, 40_000, 100):
        monitor.update(
            (4.3 + 2.6 * math.exp(-step / 1500)) * math.exp(noise.gauss(0, 0.15)), step, 0.0, {"grad_norm": 0.0}
        )
    assert monitor.finish() == []
