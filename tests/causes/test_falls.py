"""Losses that fall near zero: a leak, too few labels, memory, bad codes."""

import math

import pytest

from audioloss_cli import Series
from tests.causes.runs import always, causes, causes_of, clauses, falling, healthy, noisy, series, slugs, until

LEAK = series("audio_loss", noisy(falling(40)))
GRADUAL = series("audio_loss", noisy(falling(300)), last=4000)


def test_a_smooth_fall_from_chance_is_a_leak():
    found = causes("audio_loss", LEAK)
    assert slugs(found)[0] == "no-shift"
    assert found[0].confirm == "label-leak"
    start = max(LEAK.values[:3])
    assert f"starts at {start:.4g}, near ln 1026 = 6.93; falls below 0.01 within 2" in clauses(found, "no-shift")
    assert [cause.rank for cause in found] == list(range(1, len(found) + 1))


def test_a_held_out_loss_that_falls_too_speaks_for_the_leak_and_against_memory():
    eval_loss = series("eval/audio_loss", falling(40), every=100)
    found = causes("audio_loss", LEAK, eval_loss)
    assert slugs(found) == ["no-shift", "over-masked"]
    assert "eval/audio_loss falls too, from 6.934 to 0.001" in clauses(found, "no-shift")
    assert "memorised" in slugs(causes("audio_loss", LEAK))


def test_a_fall_of_the_held_out_loss_itself_is_no_memory():
    assert "memorised" not in slugs(causes("eval/audio_loss", GRADUAL, series("eval/audio_loss", falling(300), 4000)))


@pytest.mark.parametrize("curve", [lambda step: 5 + step / 1000, always(5)])
def test_a_held_out_loss_that_does_not_follow_speaks_for_memory(curve):
    found = causes("audio_loss", GRADUAL, series("eval/audio_loss", curve, last=4000, every=200))
    assert slugs(found)[0] == "memorised"
    assert "eval/audio_loss " in clauses(found, "memorised")
    assert "no-shift" not in slugs(found) or "BUT eval/audio_loss" in clauses(found, "no-shift")


def test_no_sample_is_memorised_before_it_was_seen_twice():
    def ranking(steps_an_epoch):
        epoch = series("epoch", lambda step: step / steps_an_epoch, last=4000)
        return slugs(causes("audio_loss", GRADUAL, epoch))

    assert ranking(100)[0] == "memorised"
    assert ranking(10_000) == ["no-shift"]


def test_all_codebooks_fall_in_a_leak_and_one_alone_under_a_mask():
    def books(curve_of_5):
        return [series(f"codebook_{k}_loss", noisy(curve_of_5 if k == 5 else falling(40)), 2000, 10) for k in range(8)]

    leak = causes("audio_loss", LEAK, *books(falling(40)))
    assert slugs(leak)[0] == "no-shift"
    assert "all 8 codebooks are low" in clauses(leak, "no-shift")
    some = causes("audio_loss", LEAK, *books(healthy))
    assert "BUT only 7 of 8 codebooks are low" in clauses(some, "no-shift")
    one = [series(f"codebook_{k}_loss", noisy(falling(40) if k == 5 else healthy), 2000, 10) for k in range(8)]
    alone = causes("codebook_5_loss", *one)
    assert slugs(alone)[0] == "over-masked"
    assert "codebook 5 is low and 7 are not" in clauses(alone, "over-masked")


def test_a_fall_within_twenty_steps_is_too_few_labels():
    found = causes("audio_loss", series("audio_loss", noisy(falling(4)), last=500, every=1))
    assert slugs(found)[:2] == ["over-masked", "no-shift"]
    assert found[0].confirm == "low-valid-fraction"
    assert "low by step 2" in clauses(found, "over-masked")


def test_batches_that_come_and_go():
    low = noisy(always(0.007))
    found = causes("audio_loss", series("audio_loss", until(300, healthy, until(450, low, healthy))))
    assert slugs(found)[0] == "over-masked"
    assert "no-shift" not in slugs(found)
    assert "between steps 295 and 300; comes back at step " in clauses(found, "over-masked")


def test_what_the_log_skipped_is_not_called_a_drop():
    sparse = Series("audio_loss", [0, 500, 1000, 1500], [6.9, 0.004, 0.002, 0.001])
    found = causes("audio_loss", sparse)
    assert slugs(found)[0] == "no-shift"
    assert "falls below 0.01 between steps 0 and 500, and none between was logged" in clauses(found, "no-shift")


def test_low_from_the_first_step_on_is_no_fall():
    low = noisy(lambda step: 0.2 * math.exp(-step / 100) + 0.004)
    found = causes("audio_loss", series("audio_loss", low))
    assert slugs(found) == ["bad-codes", "over-masked"]
    assert "low from the start: 0.2" in clauses(found, "bad-codes")


def test_a_log_that_starts_late_may_have_missed_the_fall():
    late = Series("audio_loss", list(range(5000, 6000, 10)), [0.003 + step % 7 * 1e-5 for step in range(100)])
    found = causes("audio_loss", late)
    assert slugs(found)[0] == "no-shift"
    assert "at step 5,000, where the log begins, perhaps after a fall" in clauses(found, "no-shift")


def test_zeros_of_a_logger_that_rounds_are_small_losses():
    rounded = series("audio_loss", lambda step: round(falling(200, floor=0.0)(step), 4), last=4000, every=10)
    assert 0.0 in rounded.values
    assert slugs(causes("audio_loss", rounded))[0] in ("no-shift", "memorised")


def test_a_leak_that_never_gets_below_the_threshold():
    settles = until(1000, healthy, lambda step: 0.03 + 3.9 * math.exp(-(step - 1000) / 40))
    found = causes_of("log-drop", 1100, 3000, series("audio_loss", noisy(settles), last=3000))
    assert slugs(found)[0] == "no-shift"
    assert "falls to 0.0" in clauses(found, "no-shift")


def test_lines_and_epochs_are_no_steps():
    lines = series("audio_loss", noisy(falling(2)), last=50, every=1, step_source="line")
    assert "within 1" in clauses(causes("audio_loss", lines), "no-shift")
    assert clauses(causes("audio_loss", lines), "no-shift").endswith(" lines")
