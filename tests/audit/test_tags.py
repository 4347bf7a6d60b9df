"""Which series are audited, by name."""

import pytest

from audioloss_cli.audit.tags import AUDIO_LOSS_PATTERNS, closest, matches, select, words

AUDIO = [
    "audio_loss",
    "loss/audio",
    "train/audio_loss",
    "AudioLoss",
    "train/AudioLoss",
    "Audio-Loss",
    "loss.audio",
    "eval/audio_loss",
    "losses/audio_ce",
    "codebook_train/codebook_3_loss",
    "codebook_0_loss",
    "codebook0_loss",
    "cb3_loss",
    "ce_q3",
    "ce_q0",
    "loss/codebook_7",
    "codebook_losses/0",
    "q1_loss",
    "depth_loss",
    "train/depth_decoder_loss",
    "depthformer_loss",
    "backbone_loss",
    "speech_loss",
    "acoustic_ce_loss",
    "loss_audio_tokens",
]
TRAINING = [
    "loss",
    "train/loss",
    "Loss/train",
    "train_loss",
    "total_loss",
    "train/total_loss",
    "combined_loss",
    "train/combined_loss",
    "train.loss",
    "epoch_loss",
    "batch_loss",
    "train_loss_step",
    "ce",
    "Avg_CE_loss/train",
    "loss_metrics/global_avg_loss",
    "lm_loss",
]
NEITHER = [
    "text_loss",
    "train/text_loss",
    "lr",
    "learning_rate",
    "audio_loss_weight",
    "audio_loss/grad_norm",
    "loss_scale",
    "grad_norm",
    "epoch",
    "val_loss",
    "eval/loss",
    "accuracy",
    "audio_tokens_per_second",
    "vq/codebook_loss",
    "vq/commitment_loss",
    "perplexity",
    "audio_loss_std",
    "blossom",
    "glossary",
    "force",
]


@pytest.mark.parametrize("tag", AUDIO)
def test_audio_losses(tag):
    assert select(["loss", "lr", tag]) == ([tag], "audio")


@pytest.mark.parametrize("tag", TRAINING)
def test_training_losses_stand_in(tag):
    assert select(["lr", "val_loss", tag]) == ([tag], "training")


@pytest.mark.parametrize("tag", NEITHER)
def test_neither(tag):
    assert select(["train/loss", tag]) == (["train/loss"], "training")


def test_the_loss_of_a_part_stands_in_for_want_of_a_whole_one():
    assert select(["G/loss", "D/loss", "G/lr"]).tags == ["G/loss", "D/loss"]
    assert select(["G/loss", "loss"]).tags == ["loss"]


def test_examples_of_the_documented_patterns_hold():
    for _, examples in AUDIO_LOSS_PATTERNS:
        for tag in examples.split(", "):
            assert select([tag]) == ([tag], "audio")


def test_all_losses():
    tags = ["loss", "val_loss", "text_loss", "lr", "loss_scale"]
    assert select(tags, all_losses=True) == (["loss", "val_loss", "text_loss"], "loss")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("loss", ["loss"]),
        ("*loss", ["loss", "train/text_loss"]),
        ("train/*", ["train/text_loss", "train/lr[0]"]),
        ("train/lr[0]", ["train/lr[0]"]),
        ("re:^(loss|lr)$", ["loss", "lr"]),
        ("re:[0]", ["train/lr[0]"]),
        ("LOSS", []),
    ],
)
def test_patterns(pattern, found):
    tags = ["loss", "train/text_loss", "lr", "train/lr[0]"]
    assert select(tags, [pattern]) == (found, "selected")
    assert [tag for tag in tags if matches(tag, pattern)] == found


def test_words():
    assert words("train/AudioLoss_1.ce-q3") == "train audio loss 1 ce q3"


def test_closest():
    assert closest(["audio_los"], ["audio_loss", "lr"]) == ["audio_loss"]
