"""What the steps of a log count, found by a scan: epochs, samples, updates of a companion, steps within an epoch."""

import json
import math
import random

import pytest

from audioloss_cli import scan
from tests.event_files import scalar_event, write


def noisy(level: float, seed: int = 1, spread: float = 0.02):
    noise = random.Random(seed)
    while True:
        yield level * (1 + noise.gauss(0, spread))


def by_epoch(epochs, steps, level, *, numbered=True, stride=10):
    """Rows of a loop whose step starts anew in each epoch; ``level`` says the loss of an epoch."""
    noise = random.Random(2)
    for epoch in range(epochs):
        for step in range(0, steps, stride):
            loss = level(epoch + step / steps) * (1 + noise.gauss(0, 0.02))
            yield ({"epoch": epoch} if numbered else {}) | {"step": step, "audio_loss": loss}


def falling(epoch):
    return 4 + 3 * math.exp(-epoch / 3)


def series_of(path):
    (run,) = scan(path).runs
    (item,) = run.series
    return item


def codes(item):
    return [incident.code for incident in item.incidents]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(("epochs", "steps"), [(6, 800), (30, 100)])
def test_steps_that_start_anew_in_each_epoch_are_counted_on(jsonl, numbered, epochs, steps):
    item = series_of(jsonl(*by_epoch(epochs, steps, falling, numbered=numbered)))
    assert codes(item) == []
    assert (item.span, item.segment_starts, item.reordered) == ((0, epochs * steps - 10), [0], False)
    assert "starts anew in each epoch" in item.axis.reason
    assert ("the epochs were counted" in item.axis.reason) is not numbered


def test_an_incident_names_its_epoch(jsonl):
    item = series_of(jsonl(*by_epoch(8, 400, lambda epoch: 4.0 if epoch < 5.25 else 0.3)))
    incident = item.incidents[0]
    assert (incident.code, incident.first_step) == ("log-drop", 2110)
    assert "(epoch 5, step 11" in incident.message


def test_rows_of_an_evaluation_between_epochs_do_not_move_them(jsonl):
    rows = list(by_epoch(12, 300, falling))
    mixed = [row | {} for row in rows]
    for place in range(len(rows), 0, -30):
        mixed.insert(place, {"epoch": rows[place - 1]["epoch"], "step": 40, "val_acc": 0.5})
    item = series_of(jsonl(*mixed))
    assert (codes(item), item.span) == ([], (0, 3590))


def test_a_resume_within_such_epochs_goes_back_to_its_epoch(jsonl):
    rows = list(by_epoch(8, 400, falling))
    item = series_of(jsonl(*rows[:250], *rows[200:]))
    assert (codes(item), item.span, item.segment_starts) == ([], (0, 3190), [0, 250])


def test_launches_that_each_start_at_chance_are_no_epochs(jsonl):
    launch = [{"step": step, "audio_loss": falling(step / 100)} for step in range(0, 400, 10)]
    item = series_of(jsonl(*launch * 4))
    assert (item.span, item.segment_starts) == ((0, 390), [0, 40, 80, 120])


def test_two_writers_in_turn_are_no_epochs(jsonl):
    rows = [{"step": i % 2 * 300 + i // 2, "audio_loss": 4.0} for i in range(600)]
    assert series_of(jsonl(*rows)).reordered


def test_a_row_an_epoch_is_more_than_a_row_a_step(jsonl):
    level = noisy(math.log(2048), spread=0.002)
    item = series_of(jsonl(*({"epoch": epoch, "audio_loss": next(level)} for epoch in range(60))))
    assert (item.axis.unit, item.axis.per_update) == ("epoch", 0.001)
    assert codes(item) == ["chance-level"]
    assert "(steps are epochs)" in item.incidents[0].message


def test_a_counter_of_logger_calls_is_measured_by_the_steps_beside_it(jsonl):
    level = noisy(math.log(2048), spread=0.002)
    rows = [{"_step": n, "trainer/global_step": 50 * n, "audio_loss": next(level)} for n in range(80)]
    item = series_of(jsonl(*rows))
    assert (item.axis.unit, item.axis.per_update) == ("point", 1 / 50)
    assert codes(item) == ["chance-level"]


def in_samples(tmp_path, tag, values, stride, seconds):
    events = [
        scalar_event((n + 1) * stride, {tag: value}, wall_time=1.7e9 + n * seconds) for n, value in enumerate(values)
    ]
    write(tmp_path / "events.out.tfevents.1", events)
    return tmp_path


@pytest.mark.parametrize(
    ("tag", "seconds", "unit"),
    [
        ("Train/Samples/audio_loss", math.nan, "sample"),
        ("audio_loss vs tokens", math.nan, "token"),
        ("audio_loss by consumed samples", math.nan, "sample"),
        ("tokens/audio_loss", math.nan, "token"),
        ("audio_token_loss", math.nan, "step"),
        ("loss_speech_tokens", math.nan, "step"),
        ("audio_loss_per_sample", math.nan, "step"),
        ("audio_loss", 0.5, "sample"),
        ("audio_loss", 100.0, "step"),
        ("audio_loss", 0.0001, "step"),
    ],
)
def test_samples_and_tokens_are_told_from_steps(tmp_path, tag, seconds, unit):
    values = [7.62 + 0.01 * (n % 3) for n in range(400)]
    item = series_of(in_samples(tmp_path, tag, values, 512, seconds))
    assert (item.axis.unit, item.axis.per_update) == (unit, 1.0 if unit == "step" else 512)
    # 400 updates at chance are a warm-up; 200,000 are none.
    assert codes(item) == (["chance-level"] if unit == "step" else [])


@pytest.mark.parametrize(
    ("seconds", "held_out", "unit"),
    [
        (1500.0, False, "epoch"),
        (120.0, True, "epoch"),
        (120.0, False, "step"),
        (1.0, True, "step"),
    ],
)
def test_epochs_are_known_by_the_clock_and_by_what_is_done_in_each(tmp_path, seconds, held_out, unit):
    events = [
        scalar_event(
            n, {"audio_loss": falling(n / 10)} | ({"val/loss": 5.0 - n / 100} if held_out else {}), 1.7e9 + n * seconds
        )
        for n in range(1, 40)
    ]
    write(tmp_path / "events.out.tfevents.1", events)
    assert series_of(tmp_path).axis.unit == unit


def test_the_report_says_what_the_steps_are(jsonl, audioloss):
    path = jsonl(*by_epoch(6, 800, falling))
    ran = audioloss("scan", str(path), "--report", "json")
    axis = json.loads(ran.out)["runs"][0]["series"][0]["axis"]
    assert axis == {"unit": "step", "per_update": 1.0, "reason": "the step starts anew in each epoch and is counted on"}
    assert "axis: the step starts anew in each epoch" in audioloss("scan", str(path)).out
