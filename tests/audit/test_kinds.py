"""Which kind of loss a series is taken for, and what that changes."""

import json
import math
from array import array

import pytest

from audioloss_cli import ScanConfig, Series, scan
from audioloss_cli.audit.kinds import kind_of
from audioloss_cli.model.exit_code import CLEAN, FINDINGS
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
    assert judged("loss", start=6.9, kinds={"vq/*": "small"}).kind == "open"


@pytest.mark.parametrize("start", [0.02, 0.5, 2.5, 4.13, 4.18, 6.9])
@pytest.mark.parametrize("role", ["training", "loss"])
def test_no_first_value_decides(start, role):
    """Nor does a tag about audio that is none of a loss of codes."""
    assert judged("loss", "lr", "grad_norm", role=role, start=start) == ("open", "")
    assert judged("loss", "audio_seconds", "train/audio_hours", role=role, start=start) == ("open", "")


@pytest.mark.parametrize(
    "tag", ["audio_loss", "train/AudioLoss", "codebook_3_loss", "depth_decoder_loss", "loss_mel_ce"]
)
def test_a_loss_of_codes_is_a_cross_entropy_whatever_stands_beside_it(tag):
    assert judged(tag, "reward", "eval/wer", "mel_loss", "gen_loss", role="audio") == (None, "")


@pytest.mark.parametrize(
    ("tag", "kind", "word"),
    [
        ("train/audio_diffusion_loss", "small", "diffusion"),
        ("loss/audio_l1", "small", "l 1"),
        ("speech_mse_loss", "small", "mse"),
        ("train/audio_distill_loss", "small", "distill"),
        ("log_duration_loss", "small", "log duration"),
        ("loss_rpn_loc", "small", "rpn"),
        ("heatmap_loss", "small", "heatmap"),
        ("ctc_loss", "small", "ctc"),
        ("train_fake_loss", "rl", "fake"),
        ("codebook_diversity_loss", "rl", "diversity"),
        ("kl_loss", "rl", "kl"),
        ("si_snr_loss", "signed", "si snr"),
    ],
)
def test_a_name_is_evidence(tag, kind, word):
    found = judged(tag, "train/loss", role="loss")
    assert found.kind == kind
    assert found.reason.startswith(f"'{word}' in its name is a word for ")


@pytest.mark.parametrize("tag", ["audio_gen_loss", "speech_cls_loss", "audio_real_loss"])
def test_a_weak_word_says_nothing_of_a_loss_of_audio(tag):
    assert judged(tag, role="audio").kind is None


@pytest.mark.parametrize("role", ["training", "loss"])
@pytest.mark.parametrize("beside", ["reward", "train/rewards/mean", "AdvantageMean", "advantages"])
def test_a_run_with_rewards_trains_a_policy(beside, role):
    assert judged("loss", "lr", beside, role=role, start=0.5) == ("rl", "rewards are logged in the same run")


def test_a_policy_is_known_without_its_rewards():
    found = judged("loss", "kl", "clip_ratio/region_mean", "completions/mean_length", "entropy")
    assert found.kind == "rl"
    assert "clip_ratio/region_mean" in found.reason
    assert judged("loss", "kl", "entropy").kind == "open"  # a variational autoencoder has them as well


def run(*series, first="loss", role="training", **config):
    """The kind of one series among several, given as tag, steps and values."""
    found = [Series(tag, array("q", steps), array("d", values)) for tag, steps, values in series]
    tags = RunTags(found, {each.tag: each.tag for each in found})
    return kind_of(next(each for each in found if each.tag == first), role, tags, [], ScanConfig(**config))


STEPS = range(0, 1000, 50)
MEMORISED = ("loss", STEPS, [2.0 * 0.65**number for number in range(20)])


@pytest.mark.parametrize(
    ("tag", "values", "is_evidence"),
    [
        ("eval/wer", [55.0, 30.0, 20.0], True),
        ("eval_cer", [0.2, 0.1, 0.03], True),
        ("eval/wer", [0.55, 0.9, 1.2], False),  # it transcribes nothing rightly
        ("eval_bleu", [12.0, 25.0, 31.0], True),
        ("eval_accuracy", [0.72, 0.75, 0.85], True),
        ("eval_accuracy", [0.9, 1.0, 1.0], False),  # as where labels leak
        ("mean_token_accuracy", [0.5, 0.9, 0.9993], False),  # says no more than the loss
        ("acc_pose", [0.1, 0.4, 0.58], True),  # contradicts a cross entropy of 0.0006
        ("perplexity", [7.0, 2.0, 1.001], False),
        ("test_mae", [0.05, 0.04, 0.036], True),
    ],
)
def test_a_score_is_evidence_if_it_says_more_than_the_loss(tag, values, is_evidence):
    kind, reason = run(MEMORISED, (tag, [300, 600, 950], values))
    assert kind == ("small" if is_evidence else "open")
    assert (tag in reason) is is_evidence


@pytest.mark.parametrize(
    ("steps", "values", "kind"),
    [
        ([0, 300, 600, 950], [1.9, 1.6, 1.5, 1.55], "small"),  # learnt by heart
        ([0, 300, 600, 950], [2.1, 0.6, 0.15, 0.10], "open"),  # it follows: a leak, or a trivial task
        ([0, 300], [1.9, 1.6], "open"),  # it was measured before the fall alone
        ([900, 950], [1.6, 1.5], "open"),  # it was measured after the fall alone
        ([0, 300, 600, 950], [1.9, 1.6, math.nan, 1.55], "open"),
    ],
)
def test_a_held_out_loss_that_stays_is_evidence(steps, values, kind):
    assert run(MEMORISED, ("eval_loss", steps, values)).kind == kind


def test_losses_that_no_language_model_has_are_evidence():
    parts = [(tag, STEPS, [0.3] * 20) for tag in ("mel_loss", "dur_loss", "gen_loss")]
    assert run(("train/ce_loss", STEPS, [0.02] * 20), *parts, first="train/ce_loss").kind == "small"
    assert run(MEMORISED, parts[0]).kind == "open"


def test_a_term_and_a_scaled_copy_are_known_by_what_stands_beside_them():
    assert run(MEMORISED, ("loss_x", STEPS, [0.001] * 20), first="loss_x", role="loss").kind == "small"
    target = [1.0 - number / 40 for number in range(20)]
    copy = ("loss_copy", STEPS, [0.0048 * value for value in target])
    assert run(("loss_target", STEPS, target), copy, first="loss_copy", role="loss").reason == (
        "it is loss_target times 0.0048 at every point"
    )
    assert run(("loss_target", STEPS, target), copy, first="loss_target", role="loss").kind == "open"


def test_codebook_losses_of_a_codec_are_distances():
    codebook = ("codebook_losses/0", STEPS, [0.02] * 20)
    commitment = ("commitment_losses/0", STEPS, [0.01] * 20)
    assert run(codebook, commitment, first="codebook_losses/0", role="audio").kind == "small"
    assert run(codebook, first="codebook_losses/0", role="audio").kind is None


def test_a_loss_that_is_negative_at_many_points_is_no_cross_entropy():
    falling = [1.2 - 0.1 * number for number in range(20)]
    assert run(("loss", STEPS, falling)).kind == "signed"
    assert run(("audio_loss", STEPS, falling), first="audio_loss", role="audio").kind == "signed"
    assert run(("loss", STEPS, falling), ("reward", STEPS, falling)).kind == "rl"
    assert run(("audio_loss", STEPS, [*falling[:10], *[2.0] * 9, -1.0]), first="audio_loss", role="audio").kind is None


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("config.json", '{"model_type": "whisper"}', "small"),
        ("config.json", '{"architectures": ["Wav2Vec2ForCTC"]}', "small"),
        ("config.json", '{"model_type": "qwen2", "architectures": ["Qwen2ForSequenceClassification"]}', "small"),
        ("config.json", '{"model_type": "higgs_audio", "audio_encoder_config": {"model_type": "whisper"}}', "ce"),
        ("config.json", '{"model_type": "llama"}', "open"),
        ("config.json", '{"model_type": ', "open"),
        ("args.json", '{"rlhf_type": "grpo"}', "rl"),
        ("hparams.yaml", "lr: 0.1\ntask: automatic-speech-recognition  # of LibriSpeech\n", "small"),
    ],
)
def test_files_beside_the_log_are_evidence(tmp_path, name, content, kind):
    (tmp_path / "whisper-asr").mkdir()  # a name of a directory is none
    log = tmp_path / "whisper-asr" / "log.jsonl"
    log.write_text("".join(f'{{"step": {step}, "loss": {value}}}\n' for step, value in enumerate(FALLING)))
    (log.parent / name).write_text(content)
    (item,) = scan(log).runs[0].series
    assert item.kind == kind
    if kind in ("small", "rl"):
        assert item.kind_reason.startswith(f"{name} says ")


def test_the_vocabulary_of_a_configuration_counts(tmp_path):
    """ln 777 is no level of a codec that the table has, and of a configuration alone."""
    rows = [{"step": 10 * step, "audio_loss": math.log(777) * (1 + 0.002 * (step % 5))} for step in range(400)]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert scan(tmp_path / "log.jsonl").incidents == []
    (tmp_path / "config.json").write_text('{"audio_config": {"audio_codebook_size": 777}}')
    assert [incident.code for incident in scan(tmp_path / "log.jsonl").incidents] == ["chance-level"]


@pytest.mark.parametrize(
    ("tag", "start", "config", "kind"),
    [
        ("loss", 2.5, {"adaptive": False}, None),
        ("learning_rate", 0.001, {}, "rl"),
        ("grad_norm", 0.001, {}, "small"),
    ],
)
def test_what_is_no_loss_has_no_threshold_of_one(tag, start, config, kind):
    assert judged(tag, start=start, role="selected", **config).kind == kind


FALLING = [*wobbly(2.5, 30), *wobbly(0.3, 30), *wobbly(0.004, 30)]


def rows(values, tag="loss", **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


def outcome(path, **config):
    report = scan(path, ScanConfig(**config))
    return report.runs[0].series[0].kind, report.exit_code


def test_the_fixed_thresholds_are_for_a_cross_entropy(jsonl):
    path = jsonl(*rows(FALLING))
    assert outcome(path) == ("open", FINDINGS)
    assert outcome(path, kind="small") == ("small", CLEAN)
    assert outcome(path, kind="ce") == ("ce", FINDINGS)
    assert outcome(path, kinds={"lo*": "ce"}) == ("ce", FINDINGS)
    assert outcome(path, adaptive=False) == ("ce", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, audio_seconds=9.0))) == ("open", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, tag="audio_loss"))) == ("ce", FINDINGS)
    assert outcome(jsonl(*rows(FALLING, tag="audio_loss")), kind="small") == ("small", CLEAN)


def test_a_policy_loss_may_be_anything_but_not_a_number(jsonl):
    crossing = [0.2 * math.sin(step) for step in range(60)]
    assert outcome(jsonl(*rows(crossing, reward=0.5))) == ("rl", CLEAN)
    assert outcome(jsonl(*rows(crossing, reward=0.5)), kind="ce") == ("ce", FINDINGS)
    assert outcome(jsonl(*rows([*crossing, math.nan], reward=0.5))) == ("rl", FINDINGS)


def test_the_report_says_why(jsonl):
    (item,) = scan(jsonl(*rows(FALLING, reward=1.0))).runs[0].series
    assert item.kind_reason == "rewards are logged in the same run"
    (item,) = scan(jsonl(*rows(FALLING))).runs[0].series
    assert "is open: a held-out loss, a score such as WER or accuracy" in item.incidents[0].message
    assert item.incidents[0].severity == "warning"
    (item,) = scan(jsonl(*rows(FALLING)), ScanConfig(kind="ce")).runs[0].series
    assert item.kind_reason == "declared as ce"


def test_the_loss_of_a_policy_is_one_of_reinforcement_learning(jsonl):
    """It is near zero from the start, and of either sign, though no reward is logged beside it."""
    rows = ({"step": step, "actor/pg_loss": 0.002 * (step % 5 - 2)} for step in range(100))
    report = scan(jsonl(*rows))
    assert [(item.tag, item.kind) for item in report.runs[0].series] == [("actor/pg_loss", "rl")]
    assert report.exit_code == 0
    assert "no training loss by name" in report.runs[0].note
