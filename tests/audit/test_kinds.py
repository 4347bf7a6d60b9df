"""Which kind of loss a series is taken for, and what that changes."""

import math

import pytest

from audioloss_cli import ScanConfig, Series, scan
from audioloss_cli.audit.kinds import kind_of
from audioloss_cli.model.report import CLEAN, FINDINGS
from audioloss_cli.runs.companions import RunTags
from tests.wobble import wobbly


def judged(*tags: str, start=2.5, role="training", **config):
    """The kind of the first series of a run with these tags, and why."""
    values = start if isinstance(start, list) else [start, 2.0]
    series = Series(tags[0], range(len(values)), values)
    return kind_of(
        series, role, RunTags([Series(tag) for tag in tags], {tag: tag for tag in tags}), [], ScanConfig(**config)
    )


@pytest.mark.parametrize("role", ["audio", "training", "selected", "loss"])
@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("kind", ["ce", "small", "rl"])
def test_what_is_declared_counts(kind, adaptive, role):
    assert judged("loss", "reward", kind=kind, adaptive=adaptive, role=role) == (kind, f"declared as {kind}")


@pytest.mark.parametrize(
    ("tag", "kind"),
    [("vq/loss", "small"), ("eval/loss", "rl"), ("G/eval/loss", "ce"), ("D/loss", "ce"), ("loss", "ce")],
)
def test_the_first_pattern_that_matches_counts_and_beats_the_kind_of_all(tag, kind):
    kinds = {"vq/*": "small", "re:^eval": "rl", "*/loss": "ce", "D/loss": "small"}
    assert judged(tag, kind="ce", kinds=kinds).kind == kind


def test_a_pattern_says_nothing_of_other_series():
    assert judged("loss", start=6.9, kinds={"vq/*": "small"}).kind is None


@pytest.mark.parametrize("role", ["training", "loss"])
@pytest.mark.parametrize("beside", ["reward", "train/rewards/mean", "AdvantageMean", "advantages"])
def test_a_run_with_rewards_trains_a_policy(beside, role):
    assert judged("loss", "lr", beside, role=role, start=0.5) == ("rl", "rewards are logged in the same run")
    assert judged("loss", "lr", beside, role=role, start=6.9) == (None, "")  # as no policy loss does


@pytest.mark.parametrize("role", ["audio", "selected"])
def test_neither_rewards_nor_its_start_say_anything_of_a_loss_that_was_meant(role):
    assert judged("loss", "reward", role=role) == (None, "")


@pytest.mark.parametrize("role", ["training", "loss"])
def test_a_low_start_in_a_run_that_names_no_audio_is_no_loss_of_codes(role):
    kind, reason = judged("loss", "lr", "grad_norm", role=role)
    assert kind == "small"
    assert reason == "no audio is named in the run, and it starts at 2.5, far below ln 1026 = 6.933"


@pytest.mark.parametrize(
    "beside", ["audio_seconds", "eval/speech_loss", "acoustic_acc", "codebook_0_acc", "tts/lr", "MelError", "vocoder/x"]
)
def test_a_run_that_names_audio_may_start_low(beside):
    assert judged("loss", beside) == (None, "")


@pytest.mark.parametrize(
    ("start", "config", "kind"),
    [
        (0.019, {}, None),  # collapsed before it was logged
        (0.02, {}, "small"),
        (4.15, {}, "small"),
        (4.17, {}, None),
        (0.03, {"threshold": 0.02}, None),
        (0.1, {"scale": 8}, None),
        (33.2, {"scale": 8}, "small"),
        (33.4, {"scale": 8}, None),
        (-0.5, {}, None),  # the monitor sees that by itself
        ([math.nan, math.inf, 2.5], {}, "small"),
        ([math.nan, 6.9, 2.5], {}, None),
        ([math.nan] * 3, {}, None),
        (2.5, {"adaptive": False}, None),
    ],
)
def test_what_is_no_low_start_is_left_to_the_monitor(start, config, kind):
    assert judged("loss", start=start, **config).kind == kind


FALLING = [*wobbly(2.5, 30), *wobbly(0.3, 30), *wobbly(0.004, 30)]


def rows(values, tag="loss", **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


def outcome(path, **config):
    report = scan(path, ScanConfig(**config))
    return report.runs[0].series[0].kind, report.exit_code


def test_the_fixed_thresholds_are_for_a_cross_entropy(jsonl):
    path = jsonl(*rows(FALLING))
    assert outcome(path) == ("small", CLEAN)
    assert outcome(path, kind="ce") == ("ce", FINDINGS)
    assert outcome(path, kinds={"lo*": "ce"}) == ("ce", FINDINGS)
    assert outcome(path, adaptive=False) == ("ce", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, audio_seconds=9.0))) == ("ce", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, tag="audio_loss"))) == ("ce", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, tag="audio_loss")), kind="small") == ("small", CLEAN)


def test_a_policy_loss_may_be_anything_but_not_a_number(jsonl):
    crossing = [0.2 * math.sin(step) for step in range(60)]
    assert outcome(jsonl(*rows(crossing, reward=0.5))) == ("rl", CLEAN)
    assert outcome(jsonl(*rows(crossing, reward=0.5)), kind="ce") == ("ce", FINDINGS)
    assert outcome(jsonl(*rows([*crossing, math.nan], reward=0.5))) == ("rl", FINDINGS)


def test_the_report_says_why(jsonl):
    (item,) = scan(jsonl(*rows(FALLING))).runs[0].series
    assert item.kind_reason.startswith("no audio is named in the run, and it starts at 2.5")
    (item,) = scan(jsonl(*rows(FALLING)), ScanConfig(kind="ce")).runs[0].series
    assert item.kind_reason == "declared as ce"


def test_the_loss_of_a_policy_is_one_of_reinforcement_learning(jsonl):
    """It is near zero from the start, and of either sign, though no reward is logged beside it."""
    rows = ({"step": step, "actor/pg_loss": 0.002 * (step % 5 - 2)} for step in range(100))
    report = scan(jsonl(*rows))
    assert [(item.tag, item.kind) for item in report.runs[0].series] == [("actor/pg_loss", "rl")]
    assert report.exit_code == 0
    assert "no training loss by name" in report.runs[0].note
