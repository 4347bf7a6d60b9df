"""A rise that takes what is usual along with it is found at its end."""

import math
import random

import pytest

from audioloss_cli import scan


def falling(step, start=6.9, level=4.1, within=400):
    return level + (start - level) * math.exp(-step / within)


def risen(points, every, begin, over, top, noise=0.02):
    """Falls, and from a step on rises for so many steps."""
    chosen = random.Random(3)
    for number in range(points):
        step = number * every
        share = min(max(step - begin, 0) / over, 1)
        value = falling(step) + share * (top - falling(step))
        yield step, value * (1 + chosen.gauss(0, noise))


def found(jsonl, points, tag="audio_loss"):
    report = scan(jsonl(*({"step": step, tag: value} for step, value in points)))
    (run,) = report.runs
    incidents = [incident.code for series in run.series for incident in series.incidents]
    return report.exit_code, [*incidents, *(finding.code for finding in run.findings)]


@pytest.mark.parametrize(("points", "every", "begin", "over"), [(3000, 1, 1000, 1500), (600, 50, 8000, 12000)])
@pytest.mark.parametrize("top", [6.9, 8.0])
def test_a_slow_rise_to_where_it_started_is_found(jsonl, points, every, begin, over, top):
    assert found(jsonl, risen(points, every, begin, over, top)) == (1, ["lost-ground"])


def test_a_rise_that_was_found_at_once_is_told_once(jsonl):
    assert found(jsonl, risen(3000, 1, 1500, 30, 6.9)) == (1, ["divergence"])


@pytest.mark.parametrize("tag", ["audio_loss", "loss"])
@pytest.mark.parametrize("top", [4.1, 4.6, 5.2])
def test_a_rise_of_a_quarter_is_none(jsonl, top, tag):
    assert found(jsonl, risen(3000, 1, 1000, 1500, top), tag) == (0, [])


def test_what_went_down_again_is_over(jsonl):
    points = [*risen(3000, 1, 1000, 1500, 6.9), *((3000 + step, falling(step)) for step in range(3000))]
    assert "lost-ground" not in found(jsonl, points)[1]


def test_overfitting_is_told_by_the_held_out_loss_alone(jsonl):
    rows = [
        {"step": step, "audio_loss": falling(step), **({"eval_loss": 5 + step / 1000} if step % 100 == 0 else {})}
        for step in range(4000)
    ]
    report = scan(jsonl(*rows))
    assert (report.exit_code, report.runs[0].findings) == (0, [])


def test_noise_that_is_as_large_as_the_loss_is_no_rise(jsonl):
    chosen = random.Random(1)
    points = [(step, 4 * math.exp(chosen.gauss(0, 0.8))) for step in range(2000)]
    assert "lost-ground" not in found(jsonl, points)[1]


def test_who_ignores_divergence_ignores_it(jsonl, audioloss):
    path = jsonl(*({"step": step, "audio_loss": value} for step, value in risen(3000, 1, 1000, 1500, 6.9)))
    assert audioloss("scan", path).code == 1
    assert audioloss("scan", path, "--ignore", "divergence").code == 0


def test_a_loss_that_goes_up_and_down_by_itself_has_not_lost_more(jsonl):
    points = [(step, 5 + 1.2 * math.sin(step / 500) + 0.01 * (step % 3)) for step in range(9500)]
    assert found(jsonl, points)[1] == []


def test_what_recovers_from_a_collapse_has_lost_nothing(jsonl):
    points = [(step, 0.004 + step % 3 / 1e4 if 1000 <= step < 1600 else falling(step)) for step in range(3000)]
    assert "lost-ground" not in found(jsonl, points)[1]


def test_a_loss_that_rises_from_its_start_had_nothing_to_lose(jsonl):
    assert "lost-ground" not in found(jsonl, [(step, 4 + step / 500) for step in range(1500)])[1]
