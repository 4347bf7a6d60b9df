"""Losses that are exactly zero, or no numbers."""

import math

import pytest

from audioloss_cli.model import MISSING
from tests.causes.runs import always, causes, causes_of, clauses, healthy, noisy, series, slugs, until

ZERO_FROM_200 = series("audio_loss", until(200, noisy(healthy), always(0)))
NAN_FROM_300 = series("audio_loss", until(300, noisy(healthy), always(math.nan)))


def norms(curve):
    return series("grad_norm", until(200, noisy(always(1.5)), curve))


def test_zero_from_the_start_is_inputs_that_never_arrive():
    found = causes("audio_loss", series("audio_loss", always(0)), series("text_loss", healthy))
    assert slugs(found) == ["inputs-filtered", "all-masked", "constant-loss"]
    assert found[0].confirm == "dropped-by-trainer"
    assert clauses(found, "inputs-filtered") == "exactly 0 from the first point on"


def test_zero_while_something_learns_is_inputs_that_never_arrive():
    found = causes("audio_loss", ZERO_FROM_200, norms(noisy(always(1.5))))
    assert slugs(found)[:2] == ["inputs-filtered", "all-masked"]
    assert "grad_norm is 1.5" in clauses(found, "inputs-filtered")


@pytest.mark.parametrize(
    ("norm", "clause"),
    [
        (math.nan, "grad_norm is NaN there"),
        (0.0, "grad_norm is 0 there"),
        (MISSING, "grad_norm is NaN there"),
    ],
)
def test_zero_without_a_gradient_is_the_loss_of_no_labels(norm, clause):
    found = causes("audio_loss", ZERO_FROM_200, norms(always(norm)))
    assert slugs(found)[:2] == ["all-masked", "inputs-filtered"]
    assert clause in clauses(found, "all-masked")
    assert clause in clauses(found, "inputs-filtered").split(" BUT ")[1]


def test_a_gradient_norm_that_is_left_out_is_as_telling():
    found = causes("audio_loss", ZERO_FROM_200, series("grad_norm", always(1.5), last=195))
    assert slugs(found)[0] == "all-masked"
    assert "grad_norm is logged before and not there" in clauses(found, "all-masked")


def test_zeros_here_and_there_are_masked_samples():
    found = causes("audio_loss", series("audio_loss", lambda step: 0 if step % 35 == 0 else healthy(step)))
    assert slugs(found) == ["all-masked", "inputs-filtered"]
    assert "and healthy beside them" in clauses(found, "all-masked")


@pytest.mark.parametrize("value", [0.0, 0.003, math.nan])
@pytest.mark.parametrize("epoch", [lambda step: step / 400, lambda step: step // 400])
def test_a_drop_where_an_epoch_ends_is_masking_in_place(value, epoch):
    first = 405 if epoch(1) else 400  # a step that ends an epoch may be counted with either
    run = series("audio_loss", until(first, noisy(healthy), always(value) if value != 0.003 else noisy(always(value))))
    found = causes("audio_loss", run, series("epoch", epoch))
    assert slugs(found)[0] == "in-place-masking"
    assert found[0].confirm == "mutated-by-collator"
    assert ", where epoch 1 ends (epoch " in clauses(found, "in-place-masking")


@pytest.mark.parametrize("epoch", [1e12, 1e300, math.inf])
def test_what_is_called_an_epoch_may_be_any_number(epoch):
    """None of them is counted up to: a column of samples, or a damaged one, keeps nobody waiting."""
    found = causes("audio_loss", ZERO_FROM_200, series("epoch", until(200, always(0.5), always(epoch))))
    assert all(len(clause) < 200 for cause in found for clause in cause.evidence)


def test_a_drop_within_an_epoch_is_none():
    found = causes("audio_loss", ZERO_FROM_200, series("epoch", lambda step: step / 400))
    assert "in-place-masking" not in slugs(found)
    without = causes("audio_loss", ZERO_FROM_200)
    assert slugs(without)[-1] == "in-place-masking"
    assert "holds no epoch to compare with" in clauses(without, "in-place-masking")


def test_an_epoch_of_few_points_ends_at_every_other_drop():
    short = causes("audio_loss", ZERO_FROM_200, series("epoch", lambda step: step / 8))
    assert "in-place-masking" not in slugs(short)[:1]


def test_a_smaller_drop_where_an_epoch_ends():
    halves = series("audio_loss", until(505, noisy(healthy), noisy(always(2))))
    epoch = series("epoch", lambda step: step / 500)
    assert slugs(causes_of("epoch-drop", 505, 1000, halves, epoch)) == ["in-place-masking"]


def test_nan_of_the_audio_alone_is_the_mean_of_no_labels():
    found = causes("audio_loss", NAN_FROM_300, series("text_loss", healthy))
    assert slugs(found) == ["all-masked"]
    assert clauses(found, "all-masked") == (
        "NaN at 141 of 141 points: the mean of no labels is NaN; "
        "text_loss is a number there, so that the weights are whole"
    )


def test_nan_everywhere_or_after_a_rise_is_none_of_the_catalogue():
    text = series("text_loss", until(300, healthy, always(math.nan)))
    assert slugs(causes("audio_loss", NAN_FROM_300, text)) == []
    rising = until(300, lambda step: healthy(step) * math.exp(max(0, step - 250) / 10), always(math.nan))
    assert slugs(causes_of("non-finite-loss", 300, 1000, series("audio_loss", rising))) == []


def test_nan_for_one_batch_is_a_batch_without_labels():
    found = causes("audio_loss", series("audio_loss", until(300, healthy, until(305, always(math.nan), healthy))))
    assert slugs(found) == ["all-masked"]
    assert "numbers again at step 305" in clauses(found, "all-masked")


def test_nan_from_the_first_point_may_be_weights_that_were_not_loaded():
    assert slugs(causes("audio_loss", series("audio_loss", until(500, always(math.nan), healthy)))) == [
        "all-masked",
        "audio-head-frozen",
    ]


def test_infinity_has_another_cause():
    assert causes("audio_loss", series("audio_loss", until(300, healthy, always(math.inf)))) == []


def test_a_null_may_be_a_loss_that_was_never_computed():
    found = causes("audio_loss", series("audio_loss", until(300, healthy, always(MISSING))))
    assert slugs(found) == ["all-masked", "inputs-filtered"]
    assert "no number is logged from step 300 on" in clauses(found, "inputs-filtered")


def test_a_codebook_that_vanishes():
    books = [series(f"codebook_{k}_loss", healthy, last=500 if k else 1000) for k in range(2)]
    assert slugs(causes_of("codebook-missing", 505, 1000, *books)) == ["all-masked"]
    assert slugs(causes_of("codebook-missing", 0, 1000, *books)) == ["bad-codes"]
