"""What a score beside a loss says of it, and what it does not."""

import random

import pytest

from audioloss_cli import scan


def rows(level, score, every=50, count=3000, **more):
    """``level`` and ``score`` give values of a step; the score is measured now and then."""
    chosen = random.Random(2)
    for step in range(0, count, 5):
        row = {"step": step, "train_loss": level(step) * (1 + chosen.gauss(0, 0.004)), **more}
        yield row | ({"eval_accuracy": score(step)} if step % every == 0 and step else {})


def codes(report):
    return [incident.code for series in report.runs[0].series for incident in series.incidents]


def test_who_guesses_has_a_held_out_accuracy_as_well(jsonl):
    report = scan(jsonl(*rows(lambda step: 7.62, lambda step: 0.031)))
    assert (report.exit_code, codes(report)) == (1, ["chance-level"])


def test_an_accuracy_that_was_first_measured_after_a_collapse_says_nothing_of_it(jsonl):
    report = scan(jsonl(*rows(lambda step: 6.9 if step < 300 else 0.004, lambda step: 0.99, every=600)))
    assert report.exit_code == 1
    assert "critical-loss" in codes(report)


def test_a_task_that_is_learnt_is_no_collapse(jsonl):
    report = scan(jsonl(*rows(lambda step: 0.7 * 0.998**step + 0.006, lambda step: min(0.5 + step / 4000, 0.93))))
    assert (report.exit_code, codes(report)) == (0, [])


@pytest.mark.parametrize("beside", [{"accuracy": 0.41}, {"train_mse": 0.3}])
def test_a_loss_of_nothing_but_zeros_is_not_small_by_nature(jsonl, beside):
    report = scan(jsonl(*rows(lambda step: 0.0, lambda step: 0.4, **beside)))
    assert (report.exit_code, codes(report)) == (1, ["zero-loss"])
