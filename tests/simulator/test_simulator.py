"""The simulator is the ruler of the benchmark: it must hold still, and its claims must be true of its logs."""

import numpy as np
import pytest

from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import is_missing
from audioloss_cli.naming.selection import select
from tests.simulator import FAILURES, FAMILIES, HEALTHY, resumes, simulate, time_axes
from tests.simulator.stage import EARLIEST, MIN_POINTS, STEPS

CADENCES = (1, 5, 10, 50, 100, 500)
GRADUAL = {"over_50_steps", "over_150_steps", "over_500_steps", "over_2000_steps", "label_leak", "over_masked"}
FROM_THE_START = {"label_leak", "over_masked", "zero_from_the_start", "codebook_at_chance", "total_is_text"} | {
    name for name in FAILURES if name.startswith("stuck")
}
# Their steps are not those of the stage, or not all of them are logged.
MOVED = {name for name, each in FAMILIES.items() if each.draw.__module__ in (resumes.__name__, time_axes.__name__)}
NEGATIVE = {"policy_loss", "si_snr"}
MAY_BE_UNSEEN = {"nan_burst", "spike_of_6_for_10_steps", "spike_of_3_for_30_steps"}


def bytes_of(run):
    return {tag: (item.steps.tobytes(), item.values.tobytes()) for tag, item in run.series.items()}


def test_there_are_enough_families():
    assert len(HEALTHY) >= 12
    assert len(FAILURES) >= 21
    assert set(FAMILIES) == {*HEALTHY, *FAILURES}
    assert all(FAMILIES[name].is_healthy == (name in HEALTHY) for name in FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_arguments_give_the_same_bytes(family):
    assert bytes_of(simulate(family, 3, 10, 0.05)) == bytes_of(simulate(family, 3, 10, 0.05))
    assert bytes_of(simulate(family, 3, 10, 0.05)) != bytes_of(simulate(family, 4, 10, 0.05))


@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_builds_at_every_cadence(family, cadence):
    run = simulate(family, 1, cadence, 0.15)
    points = max(STEPS // cadence, MIN_POINTS)
    assert run.audited in run.series
    for tag, item in run.series.items():
        assert item.tag == tag
        assert (item.steps.dtype, item.values.dtype) == (np.int64, np.float64)
        assert len(item) == points or family in MOVED | {"codebook_missing"}
        assert set(np.diff(item.steps)) == {cadence} or family in MOVED
        assert item.steps[0] in (0, cadence) or family in MOVED


@pytest.mark.parametrize("family", HEALTHY)
@pytest.mark.parametrize("noise", [0.02, 0.15])
def test_healthy_losses_are_finite_and_have_no_onset(family, noise):
    run = simulate(family, 2, 5, noise)
    assert (run.onset, run.before_001, run.faults, run.visible) == (None, None, (), False)
    for tag, item in run.series.items():
        assert np.isfinite(item.values).all() or tag == "grad_norm"
        assert (item.values > 0).all() or family in NEGATIVE or tag in ("grad_norm", "epoch", "train/rewards/margins")


@pytest.mark.parametrize("family", FAILURES)
@pytest.mark.parametrize("cadence", CADENCES)
def test_the_onset_is_a_logged_step_after_enough_points(family, cadence):
    run = simulate(family, 5, cadence, 0.05)
    assert run.visible == (run.onset is not None)
    assert run.faults
    if run.onset is None:
        assert family in MAY_BE_UNSEEN
        return
    steps = next(iter(simulate("plateau", 0, cadence, 0.05).series.values())).steps
    assert run.onset % cadence == 0
    if family == "every_epoch_alike":
        assert run.onset < 100 * cadence
        return
    if family in FROM_THE_START:
        assert run.onset <= 2 * cadence
    elif "epoch" in family and family not in MOVED:
        assert run.onset >= 0.36 * steps[-1]
    elif family not in MOVED:
        assert run.onset >= EARLIEST * steps[-1]
    assert family in FROM_THE_START or run.onset // cadence > 100


def test_what_no_point_shows_is_invisible():
    seen = [simulate("spike_of_6_for_10_steps", seed, 100, 0.05) for seed in range(60)]
    assert {run.visible for run in seen} == {True, False}
    for run in seen:
        (item,) = run.series.values()
        assert run.visible == bool((item.values > 12).any())
    assert all(simulate("spike_of_6_for_10_steps", seed, 10, 0.05).visible for seed in range(5))


@pytest.mark.parametrize("family", FAILURES)
def test_only_gradual_collapses_pass_0_01(family):
    run = simulate(family, 1, 1, 0.02)
    if family not in GRADUAL | {"sum_collapses"}:
        assert run.before_001 is None
        return
    (item,) = run.series.values()
    around = item.values[np.abs(item.steps - run.before_001) < 20] / (8 if family == "sum_collapses" else 1)
    assert 0.004 < np.median(around) < 0.02
    assert run.onset < run.before_001


@pytest.mark.parametrize("family", FAMILIES)
def test_the_main_tag_is_one_that_is_audited(family):
    run = simulate(family, 1, 100, 0.05)
    assert run.audited in select({tag: tag for tag in run.series}).roles
    report_on("sim", list(run.series.values()), AuditSettings(ScanConfig()))


def test_levels_are_those_of_real_runs():
    leak = simulate("label_leak", 1, 1, 0.02)
    (item,) = leak.series.values()
    at = {step: item.values[item.steps == step][0] for step in (1, 50, 100, 300, 500)}
    assert at == pytest.approx({1: 2.92, 50: 0.082, 100: 0.018, 300: 0.0032, 500: 0.0014}, rel=0.1)
    finest = simulate("each_codebook", 1, 10, 0.02).series["train/codebook_7_loss"]
    assert 6 < finest.values[-1] < 6.93
    total = simulate("sum_of_codebooks", 1, 1, 0.02).series["train/audio_loss"].values
    assert total[0] == pytest.approx(55.4, rel=0.1)
    assert 25 < total[-1] < 40


def test_a_missing_value_stays_one():
    run = simulate("null_for_good", 1, 10, 0.05)
    (item,) = run.series.values()
    missing = [step for step, value in zip(item.steps, item.values, strict=True) if is_missing(value)]
    assert missing[0] == run.onset
    assert missing[-1] == item.steps[-1]


def test_a_frozen_loss_repeats_its_bits():
    run = simulate("frozen_at_a_normal_level", 1, 10, 0.05)
    (item,) = run.series.values()
    assert len(set(item.values[item.steps >= run.onset])) == 1
    assert len(set(item.values[item.steps < run.onset])) > 200


def test_a_total_that_lacks_the_audio_loss_equals_the_text_loss():
    run = simulate("total_is_text", 1, 10, 0.05)
    total, text = run.series["train/loss"].values, run.series["train/text_loss"].values
    assert total == pytest.approx(text, rel=1e-6)
    assert (total != text).any()
    healthy = simulate("text_and_audio", 1, 10, 0.05).series
    parts = healthy["train/text_loss"].values + healthy["train/audio_loss"].values
    assert healthy["train/loss"].values == pytest.approx(parts, rel=1e-6)
