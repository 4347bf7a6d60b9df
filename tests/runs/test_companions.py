"""What stands beside an audited series, aligned by step."""

import math

import pytest

from audioloss_cli import Series, scan
from audioloss_cli.model import MISSING, is_missing
from audioloss_cli.model.point import CODEBOOK, EPOCH, GRAD_NORM, LEARNING_RATE, OWN_CODEBOOK, TEXT, TOTAL
from audioloss_cli.naming import classify
from audioloss_cli.runs.companions import RunTags, companions
from tests.wobble import wobbly


def series(tag: str, points: dict[int, float] | list[tuple[int, float]]) -> Series:
    pairs = list(points.items()) if isinstance(points, dict) else points
    return Series(tag, [step for step, _ in pairs], [value for _, value in pairs])


def every(stride: int, last: int = 12, first: int = 0) -> dict[int, float]:
    """A point every so many steps, whose value is its step."""
    return {step: float(step) for step in range(first, last + 1, stride)}


def columns(audited: Series, *others: Series) -> dict[str, list[float | None]]:
    """What stands beside the first series; None for a missing value."""
    run = [audited, *others]
    found = companions(audited, RunTags(run, {each.tag: each.tag for each in run}))
    return {name: [None if is_missing(value) else value for value in column] for name, column in found.items()}


def role(tag: str, audited: str = "audio_loss") -> set[str]:
    return set(columns(series(audited, every(1)), series(tag, every(1))))


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ("grad_norm train/grad_norm GradNorm gradient_norm gradients/norm optimizer/grad_norms", GRAD_NORM),
        ("epoch train/epoch Epoch epochs", EPOCH),
        ("lr train/lr learning_rate optimizer/lr", LEARNING_RATE),
        ("text_loss train/text_loss loss/text text_ce llm_loss TextLoss", TEXT),
        ("loss train/loss total_loss loss/total combined_loss losses/overall train_loss", TOTAL),
    ],
)
def test_series_are_known_by_their_names(tags, name):
    assert {tag: role(tag) for tag in tags.split()} == {tag: {name} for tag in tags.split()}


@pytest.mark.parametrize("tag", ["grad_norm_clip", "grad_clip", "eval/epoch", "epoch_time", "eval/loss", "x/y"])
@pytest.mark.parametrize("prefix", ["", "train/"])
def test_other_series_stand_beside_nothing(prefix, tag):
    assert role(prefix + tag) == set()


@pytest.mark.parametrize("tag", ["eval/text_loss", "text_acc", "total_flos", "val/total_loss", "audio_loss_2"])
def test_other_losses_and_totals_stand_beside_nothing(tag):
    assert role(tag) == set()


def test_the_losses_of_a_training_do_not_stand_beside_a_held_out_one():
    assert role("grad_norm", "eval/audio_loss") == {GRAD_NORM}
    assert role("loss", "eval/audio_loss") == role("text_loss", "eval/audio_loss") == set()


def test_of_several_the_first_counts():
    found = columns(series("audio_loss", {0: 1.0}), series("total_loss", {0: 2.0}), series("loss", {0: 3.0}))
    assert found == {TOTAL: [2.0]}


def test_a_series_does_not_stand_beside_itself():
    assert columns(series("loss", every(1)), series("text_loss", every(1))).keys() == {TEXT}


@pytest.mark.parametrize("tag", ["grad_norm", "epoch", "text_loss", "loss"])
def test_a_denser_series_is_thinned_to_the_steps_there_are(tag):
    (column,) = columns(series("audio_loss", every(4)), series(tag, every(1))).values()
    assert column == [0.0, 4.0, 8.0, 12.0]


@pytest.mark.parametrize("tag", ["grad_norm", "epoch", "text_loss", "loss"])
def test_a_value_that_is_not_logged_at_a_step_is_missing(tag):
    (column,) = columns(series("audio_loss", every(1, last=5)), series(tag, {0: 1.0, 1: math.inf, 2: 3, 4: 5})).values()
    assert column == [1.0, math.inf, 3, None, 5, None]


def test_a_null_is_missing_and_a_nan_is_not():
    (column,) = columns(
        series("audio_loss", every(1, last=2)), series("loss", {0: 1.0, 1: MISSING, 2: math.nan})
    ).values()
    assert column[:2] == [1.0, None]
    assert math.isnan(column[2])


@pytest.mark.parametrize(("stride", "there"), [(1, True), (2, True), (3, False), (6, False)])
def test_a_series_with_too_few_values_says_nothing_by_having_none(stride, there):
    assert bool(columns(series("audio_loss", every(1)), series("grad_norm", every(stride)))) is there


def test_steps_that_never_meet_stand_beside_nothing():
    assert columns(series("audio_loss", every(2)), series("loss", every(2, first=1))) == {}


def test_restarts_at_the_same_steps_are_aligned_point_by_point():
    steps = [0, 1, 2, 1, 2, 3]
    other = series("grad_norm", [(step, float(index)) for index, step in enumerate(steps)])
    found = columns(series("audio_loss", [(step, 5.0) for step in steps]), other)
    assert found == {GRAD_NORM: [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}


def test_a_step_that_was_logged_twice_counts_as_last_logged():
    found = columns(series("audio_loss", every(1, last=2)), series("loss", [(0, 1.0), (1, 2.0), (1, 3.0), (2, 4.0)]))
    assert found == {TOTAL: [1.0, 3.0, 4.0]}


@pytest.mark.parametrize(
    ("tag", "member"),
    [
        ("codebook_0_loss", ("codebook # loss", 0)),
        ("train/Codebook3Loss", ("train codebook # loss", 3)),
        ("codebook_loss/12", ("codebook loss #", 12)),
        ("loss/cb_7", ("loss cb #", 7)),
        ("ce_q3", ("ce q #", 3)),
        ("rvq_loss_1/eval", ("rvq loss # eval", 1)),
        ("codebook_loss", None),
        ("audio_loss_2", None),
        ("loss", None),
    ],
)
def test_the_number_of_a_codebook_and_its_family(tag, member):
    found = classify(tag)
    assert (found.family, found.codebook) == (member or ("", None))


def test_the_codebooks_of_a_family_stand_beside_each_other():
    first, second, third = (series(f"codebook_{number}_loss", {0: number, 1: number}) for number in range(3))
    held_out = series("eval/codebook_1_loss", {0: 9.0, 1: 9.0})
    others = (series(tag, {0: 1.0, 1: 1.0}) for tag in ("loss", "text_loss", "grad_norm"))
    assert columns(second, first, third, held_out, *others) == {
        OWN_CODEBOOK: [1, 1],
        **{f"{CODEBOOK}{number}": [number, number] for number in range(3)},
        GRAD_NORM: [1.0, 1.0],
    }
    assert columns(held_out, first, second, third) == {OWN_CODEBOOK: [1, 1], f"{CODEBOOK}1": [9.0, 9.0]}


def test_a_codebook_that_is_logged_seldom_is_missing_and_not_left_out():
    first, second = series("codebook_0_loss", every(1, last=5)), series("codebook_1_loss", {0: 1.0})
    assert columns(first, second)[f"{CODEBOOK}1"] == [1.0, None, None, None, None, None]


def test_a_sorted_series_is_aligned_with_what_is_not_sorted():
    other = series("grad_norm", [(step, float(step)) for step in (4, 0, 2, 1, 3)])
    assert columns(series("audio_loss", every(1, last=4)), other) == {GRAD_NORM: [0.0, 1.0, 2.0, 3.0, 4.0]}


def test_rules_see_what_stands_beside(jsonl):
    rows = [{"step": step, "audio_loss": loss, "grad_norm": 1.0} for step, loss in enumerate(wobbly(5.0, 40))]
    rows[20]["audio_loss"] = 0.0
    assert [incident.code for incident in scan(jsonl(*rows)).incidents] == ["zero-loss"]
    rows[20]["grad_norm"] = math.nan
    assert [incident.code for incident in scan(jsonl(*rows)).incidents] == ["masked-nan"]
    del rows[20]["grad_norm"]
    assert [incident.code for incident in scan(jsonl(*rows)).incidents] == ["masked-nan"]


def test_restarts_at_different_cadences_are_aligned_segment_by_segment():
    audited = series("audio_loss", [(step, 5.0) for step in (0, 1, 2, 3, 2, 3, 4)])
    other = series("grad_norm", [(0, 0.0), (2, math.inf), (2, 2.0), (4, 4.0)])
    assert columns(audited, other) == {GRAD_NORM: [0.0, None, math.inf, None, 2.0, None, 4.0]}


def test_a_sorted_series_does_not_stand_beside_itself():
    logged = series("loss", [(step, 5.0) for step in (2, 0, 1)])
    assert companions(series("loss", every(1, last=2)), RunTags([logged], {"loss": "loss"})) == {}
