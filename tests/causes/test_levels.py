"""Losses that stay where they are, and losses that do not add up."""

import math

import pytest

from tests.causes.runs import CHANCE, always, causes, causes_of, clauses, healthy, noisy, series, slugs, until

AT_CHANCE = series("audio_loss", noisy(always(CHANCE), 0.002), last=3000)
TEXT = series("text_loss", lambda step: 2 + math.exp(-step / 300), last=3000)


def test_flat_at_chance_is_a_head_that_does_not_learn():
    found = causes_of("chance-level", 20, 3000, AT_CHANCE, TEXT)
    assert slugs(found) == ["audio-head-frozen", "audio-loss-not-added", "delay-mismatch", "bad-codes"]
    assert "near ln 1026 = 6.93, where it started; text_loss falls meanwhile, from 3 to 2" in clauses(
        found, "audio-head-frozen"
    )


def test_no_gradient_at_all_makes_the_frozen_head_surer():
    found = causes_of("chance-level", 20, 3000, AT_CHANCE, series("grad_norm", always(0), last=3000))
    assert "grad_norm is 0 throughout" in clauses(found, "audio-head-frozen")


def test_a_total_that_is_the_text_loss_lacks_the_audio_loss():
    total = series("loss", lambda step: 2 + math.exp(-step / 300), last=3000)
    for audio in (AT_CHANCE, series("audio_loss", noisy(healthy), last=3000)):
        found = causes_of("total-mismatch", 0, 3000, audio, TEXT, total)
        assert slugs(found)[0] == "audio-loss-not-added"
        assert "loss is text_loss at 50 of 50 points, while audio_loss is " in clauses(found, "audio-loss-not-added")


def test_a_total_that_is_more_speaks_against_it():
    total = series("loss", lambda step: 2 + math.exp(-step / 300) + CHANCE, last=3000)
    found = causes_of("chance-level", 20, 3000, AT_CHANCE, TEXT, total)
    assert slugs(found) == ["audio-head-frozen", "delay-mismatch", "bad-codes", "audio-loss-not-added"]
    assert "BUT the total is more than the text loss" in clauses(found, "audio-loss-not-added")


def test_a_double_shift_is_no_more_than_possible():
    total = series("loss", lambda step: 2 + math.exp(-step / 300) + CHANCE, last=3000)
    still = series("text_loss", noisy(always(2)), last=3000)
    found = causes_of("chance-level", 20, 3000, AT_CHANCE, still, total)
    assert slugs(found) == ["audio-head-frozen", "delay-mismatch", "bad-codes", "double-shift"]


def test_later_codebooks_at_chance_are_a_delay_that_does_not_fit():
    books = [series(f"codebook_{k}_loss", noisy(always(CHANCE) if k else healthy, 0.002)) for k in range(8)]
    found = causes_of("chance-level", 0, 1000, *books[::-1])
    assert slugs(found)[0] == "delay-mismatch"
    assert "7 of 8 codebooks at chance (6.9" in clauses(found, "delay-mismatch")


def test_one_codebook_at_chance_is_a_part_of_the_head():
    books = [series(f"codebook_{k}_loss", noisy(always(CHANCE) if k == 5 else healthy, 0.002)) for k in range(8)]
    found = causes_of("codebook-apart", 0, 1000, books[5], *books[:5], *books[6:])
    assert slugs(found) == ["audio-head-frozen", "bad-codes"]
    assert "codebook 5 at chance" in clauses(found, "audio-head-frozen")


@pytest.mark.parametrize("value", [0.001, 2.0, CHANCE])
def test_one_number_again_and_again_is_a_constant(value):
    run = series("audio_loss", until(300, noisy(healthy), always(value)))
    found = causes_of("frozen-loss", 395, 1000, run)
    assert slugs(found)[0] == "constant-loss"
    assert f"{value:.6g} at all 141 points from step 300 on" in clauses(found, "constant-loss")


def test_a_small_number_again_and_again_may_be_rounded():
    falls = until(300, lambda step: round(7 * math.exp(-step / 30), 4), always(0.0003))
    assert slugs(causes_of("frozen-loss", 400, 1000, series("audio_loss", falls)))[0] == "no-shift"
    found = causes_of("frozen-loss", 395, 1000, series("audio_loss", until(300, healthy, always(0.0003))))
    assert "BUT the log may round to four decimals" in clauses(found, "constant-loss")


def test_a_start_at_a_multiple_of_chance_is_a_sum():
    run = series("audio_loss", lambda step: 8 * healthy(step))
    found = causes_of("sum-scale", 20, 20, run)
    assert slugs(found) == ["loss-scale"]
    assert clauses(found, "loss-scale") == "starts at 55.47, near 8 x ln 1026 = 55.47"


@pytest.mark.parametrize("ratio", [8.0, 0.25])
def test_a_constant_ratio_to_the_codebooks_is_a_scale(ratio):
    books = [series(f"codebook_{k}_loss", lambda step, k=k: healthy(step) + k / 10) for k in range(8)]
    mean = series("audio_loss", lambda step: ratio * (healthy(step) + 0.35))
    found = causes_of("sum-scale", 20, 20, mean, *books)
    assert slugs(found)[0] == "loss-scale"
    assert f"audio_loss is {ratio:g} times the mean of 8 codebooks at 50 points" in clauses(found, "loss-scale")


def test_the_mean_of_the_codebooks_is_no_scale():
    books = [series(f"codebook_{k}_loss", healthy) for k in range(8)]
    assert slugs(causes_of("chance-level", 0, 1000, series("audio_loss", healthy), *books)) == []


@pytest.mark.parametrize("code", ["loss-spike", "divergence"])
def test_a_rise_has_none_of_these_causes(code):
    run = series("audio_loss", lambda step: healthy(step) * (6 if 500 <= step < 600 else 1))
    assert causes_of(code, 500, 595, run) == []


def test_a_loss_that_leaves_chance_by_itself_was_warming_up():
    run = series(
        "audio_loss", until(2500, noisy(always(CHANCE), 0.002), lambda step: CHANCE - (step - 2500) / 500), 4000
    )
    found = causes("audio_loss", run)
    assert slugs(found) == ["audio-head-frozen"]
    assert "BUT it leaves that level at step " in clauses(found, "audio-head-frozen")
