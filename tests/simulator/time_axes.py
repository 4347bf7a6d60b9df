"""Logs whose steps are not updates of the weights, and series that end, stand still or come again."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CHANCE, TAG
from tests.simulator.family import Sketch, failure, healthy
from tests.simulator.stage import Flags, Stage, Steps, Values

_SAMPLES_TAG = "Train/Samples/audio_loss"
_BATCH = 256


def _in_epochs(stage: Stage, values: Values, failed: Values | None = None) -> Sketch:
    """The step starts anew in each of eight epochs, and the epoch stands beside it."""
    rows = len(stage.steps) // 8
    places = np.arange(len(stage.steps))
    epochs, rows_in = places // rows, places % rows
    steps: Steps = (rows_in * stage.cadence).astype(np.int64)
    counted: Steps = (places * stage.cadence).astype(np.int64)
    return Sketch(
        {TAG: values, "epoch": epochs.astype(float)},
        {} if failed is None else {TAG: failed},
        steps=steps,
        counted=counted,
    )


@healthy
def step_within_the_epoch(stage: Stage) -> Sketch:
    """Sorted by such steps a falling loss looks like noise."""
    return _in_epochs(stage, curves.any_healthy(stage)(stage.steps) * stage.jitter())


@healthy
def samples_in_place_of_steps(stage: Stage) -> Sketch:
    """A warm-up at chance of some hundred updates, a hundred thousand on the axis."""
    point = stage.steps // stage.cadence
    start = stage.uniform(100, 250)
    curve = curves.power_law(CHANCE, stage.uniform(3.5, 4.5), stage.uniform(100, 300))
    learning = curve(np.maximum(point - start, 0)) * stage.jitter()
    quiet = np.exp(0.004 * stage.rng.standard_normal(len(point)))
    return Sketch({_SAMPLES_TAG: np.where(point < start, CHANCE * quiet, learning)}, steps=(point + 1) * _BATCH)


@healthy
def logged_more_seldom(stage: Stage) -> Sketch:
    """The audio loss at each tenth row of the others, so that the log ends some rows after its last one."""
    rare: Flags = np.arange(len(stage.steps)) % 10 != 0
    loss = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return Sketch({TAG: loss, "train/loss": loss + stage.uniform(1, 2)}, absent={TAG: rare})


@healthy
def norm_that_is_always_zero(stage: Stage) -> Sketch:
    """Some engines log it so, and now and then a NaN; the loss falls."""
    curve = curves.power_law(CHANCE, stage.uniform(3.3, 4.0), stage.last / 8)
    norm = np.where(stage.rng.random(len(stage.steps)) < 0.05, np.nan, 0.0)
    return Sketch({TAG: curve(stage.steps) * stage.jitter(), "grad_norm": norm})


@failure("log-drop", "epoch-drop", severity="warning")
def drops_within_an_epoch(stage: Stage) -> Sketch:
    """In a log whose step starts anew in each epoch."""
    values = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return _in_epochs(stage, values, np.where(stage.steps >= stage.onset(), values * 0.1, values))


@failure("divergence", "loss-spike")
def diverges_within_an_epoch(stage: Stage) -> Sketch:
    """The same, upwards."""
    values = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return _in_epochs(stage, values, np.where(stage.steps >= stage.onset(), values * stage.uniform(2, 2.4), values))


@failure("no-gradient", severity="warning", least_points=30)
def gradients_turn_nan(stage: Stage) -> Sketch:
    """No step is taken any more: the loss stays where it is."""
    onset = stage.onset()
    level = curves.any_healthy(stage)(np.minimum(stage.steps, onset)) * stage.white()
    norm = stage.uniform(0.5, 2.0) * np.exp(0.3 * stage.rng.standard_normal(len(stage.steps)))
    return Sketch({TAG: level, "grad_norm": norm}, {"grad_norm": np.where(stage.steps >= onset, np.nan, norm)})


@failure("series-ends-early", severity="warning")
def is_logged_no_more(stage: Stage) -> Sketch:
    """From the middle on, while the text loss goes on."""
    loss = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    text = curves.power_law(2.4, 1.6, 800)(stage.steps) * stage.jitter()
    gone: Flags = stage.steps >= stage.onset()
    return Sketch({TAG: loss, "train/text_loss": text}, absent={TAG: gone})


@failure("repeated-losses")
def every_epoch_alike(stage: Stage) -> Sketch:
    """The weights never change: the batches of each epoch have the losses that they had in the first."""
    rows = int(stage.rng.integers(15, 60))
    once = 4.8 * np.exp(stage.noise * stage.rng.standard_normal(rows))
    fresh = 4.8 * np.exp(stage.noise * stage.rng.standard_normal(len(stage.steps)))
    alike = np.resize(once, len(stage.steps))
    return Sketch({TAG: np.where(np.arange(len(fresh)) < rows, alike, fresh)}, {TAG: alike})
