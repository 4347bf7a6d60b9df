"""Losses without noise, in nats, as functions of the training step."""

import math
from collections.abc import Callable

import numpy as np

from tests.simulator.stage import Stage, Steps, Values

Curve = Callable[[Steps], Values]

CHANCE = math.log(1026)  # 1024 codes, BOS and EOS
TAG = "train/audio_loss"
CODEBOOKS = 8


def power_law(start: float, end: float, half: float, power: float = 1.0) -> Curve:
    """From ``start`` towards ``end``; half of the way takes ``half`` steps at a power of 1."""
    return lambda steps: end + (start - end) * (1 + steps / half) ** -power


def pretraining(stage: Stage) -> Curve:
    """From chance to 3.5 to 4.5 nats."""
    return power_law(CHANCE, stage.uniform(3.3, 4.3), stage.uniform(200, 800))


def fine_tune(stage: Stage) -> Curve:
    """A pretrained model goes from about 4.8 to 4.2 nats."""
    start = stage.uniform(4.6, 5.0)
    return power_law(start, start - stage.uniform(0.5, 0.8), stage.uniform(300, 1500))


def plateau(stage: Stage) -> Curve:
    """Nothing moves."""
    level = stage.uniform(3.5, 5.0)
    return lambda steps: np.full(len(steps), level)


def any_healthy(stage: Stage) -> Curve:
    """One of the three above."""
    return (pretraining, fine_tune, plateau)[int(stage.rng.integers(3))](stage)


def falling(curve: Curve, onset: int, floor: float, duration: float) -> Curve:
    """The curve until ``onset``; from there its logarithm goes straight to that of ``floor``, and stays."""

    def fallen(steps: Steps) -> Values:
        way = np.clip((steps - onset) / duration, 0, 1)
        base = curve(steps)
        return np.where(way > 0, base ** (1 - way) * floor**way, base)

    return fallen


def through(points: dict[int, float]) -> Curve:
    """Through measured losses by step, straight in the logarithm, and level after the last."""
    steps, logs = list(points), np.log(list(points.values()))
    return lambda at: np.exp(np.interp(at, steps, logs))


def first_below(curve: Curve, threshold: float, last: int) -> int | None:
    """The first whole step, logged or not, at which the curve lies below."""
    low = np.flatnonzero(curve(np.arange(last + 1, dtype=np.int64)) < threshold)
    return int(low[0]) if len(low) else None
