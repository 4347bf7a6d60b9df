"""Which series are audited, by name."""

import re

import pytest

from audioloss_cli.model import SettingError
from audioloss_cli.naming import TagPattern
from audioloss_cli.naming.roles import AUDIO_LOSS_PATTERNS
from audioloss_cli.naming.selection import Selection, closest, full_name, select
from audioloss_cli.naming.tag_words import words

AUDIO = re.findall(
    r"\S+",
    """
    audio_loss loss/audio train/audio_loss AudioLoss train/AudioLoss Audio-Loss loss.audio losses/audio_ce
    audio_loss3 audioloss train/audioloss train/AudioCELoss audio_cross_entropy audio/crossentropy audio_loss2/x
    audio_loss/0 codebook_train/codebook_3_loss codebook_0_loss codebook0_loss train/codebook_loss_3
    codebook_loss/0 cb3_loss ce_q3 ce_q0 loss/codebook_7 codebook_losses/0 codebook_losses rvq_loss_0 c0_loss
    codebook_loss/cb3 depth_loss depformer_loss train/depth_decoder_loss depthformer_loss backbone_loss
    speech_loss acoustic_ce_loss loss_audio_tokens""",
)
TRAINING = re.findall(
    r"\S+",
    """
    loss train/loss Loss/train train_loss total_loss train/total_loss combined_loss train/combined_loss
    train.loss CELoss epoch_loss batch_loss train_loss_step ce Avg_CE_loss/train loss_metrics/global_avg_loss
    lm_loss trainloss loss2 train/cross_entropy""",
)
NEITHER = re.findall(
    r"\S+",
    """
    entropy_loss train/entropy_loss text_loss train/text_loss text_loss/train text_loss/0 lr learning_rate
    audio_loss_weight audio_loss/grad_norm loss_scale grad_norm epoch val_loss eval/loss accuracy
    audio_tokens_per_second vq/codebook_loss vq/commitment_loss perplexity audio_loss_std blossom glossary force
    gloss audio_loss_mask audio_loss_enabled audio_loss_delta audio_loss_fraction audio_loss_is_nan
    audio/commit_loss audio/vq_loss audio/stop_loss hparam/audio_loss""",
)


def chosen(*tags: str, **more) -> dict[str, str]:
    return select({tag: tag for tag in tags}, **more).roles


@pytest.mark.parametrize("tag", AUDIO)
def test_audio_losses(tag):
    assert select({"loss": "loss", "lr": "lr", tag: tag}) == Selection({tag: "audio"})


@pytest.mark.parametrize("tag", TRAINING)
def test_training_losses_stand_in(tag):
    assert select({"lr": "lr", "val_loss": "val_loss", tag: tag}) == Selection({tag: "training"}, fell_back=True)


@pytest.mark.parametrize("tag", NEITHER)
def test_neither(tag):
    assert chosen("train/loss", tag) == {"train/loss": "training"}


@pytest.mark.parametrize(
    "tag",
    re.findall(
        r"\S+",
        """training/gen_loss_total loss/g/total gen_loss_total generator/loss_total loss/gen/all total_gen_loss
        g_total_loss train/total_generator_loss""",
    ),
)
def test_the_total_of_a_generator_stands_in(tag):
    assert select({"mel_loss": "mel_loss", tag: tag}) == Selection({tag: "training"}, fell_back=True)


@pytest.mark.parametrize("tag", ["Mel Loss", "train/mel_loss", "loss/g/mel", "tts_loss", "vocoder/recon_loss"])
def test_without_a_training_loss_what_names_audio_is_audited(tag):
    others = ("Mono Loss", "S2S Loss", "Gen Loss", "policy_loss", "eval/mel_loss", "text_loss", "grad_norm")
    assert select({name: name for name in (tag, *others)}) == Selection(
        {tag: "training"}, fell_back=True, for_want_of_a_total=True
    )
    assert chosen(tag, "loss") == {"loss": "training"}


@pytest.mark.parametrize("tag", ["train/policy_loss", "actor_loss", "actor/pg_loss", "train/policy_gradient_loss"])
def test_without_any_other_the_loss_of_a_policy_is_audited(tag):
    assert chosen(tag, "critic_loss", "train/value_loss", "train/entropy_loss", "kl_loss") == {tag: "training"}
    assert chosen(tag, "train/loss", "critic_loss") == {"train/loss": "training"}


def test_a_held_out_audio_loss_is_audited_and_stands_in_for_nothing():
    found = select({"eval/audio_loss": "eval/audio_loss", "train/loss": "train/loss"})
    assert found == Selection({"eval/audio_loss": "audio", "train/loss": "training"}, fell_back=True)
    assert chosen("eval/audio_loss", "audio_loss", "loss") == {"eval/audio_loss": "audio", "audio_loss": "audio"}


def test_the_loss_of_a_part_stands_in_for_want_of_a_whole_one():
    assert list(chosen("G/loss", "D/loss", "G/lr")) == ["G/loss", "D/loss"]
    assert list(chosen("G/loss", "loss")) == ["loss"]


def test_the_summary_of_the_trainer_is_no_loss_of_a_step():
    assert list(chosen("train/loss", "train/train_loss")) == ["train/loss"]
    assert list(chosen("loss", "train_loss")) == ["loss"]
    assert list(chosen("train_loss", "lr")) == ["train_loss"]


def test_a_scalar_in_a_directory_of_its_own_is_named_by_both():
    """As torch's add_scalars("loss", {"audio": ..}) and add_scalars("train/loss", ..) lay them out."""
    assert full_name("loss", "loss_audio") == "loss/audio"
    assert full_name("train/loss", "train_loss_codebook_3") == "train/loss/codebook_3"
    assert full_name("loss", "run1") == "loss"
    assert full_name("loss", "loss_") == "loss"
    assert select({"loss": "loss/audio"}).roles == {"loss": "audio"}


def test_examples_of_the_documented_patterns_hold():
    for pattern, examples in AUDIO_LOSS_PATTERNS:
        for tag in examples.split(", "):
            assert chosen(tag) == {tag: "audio"}
            assert re.search(pattern, words(tag)), (pattern, tag)


def test_all_losses():
    assert list(chosen("loss", "val_loss", "text_loss", "lr", "loss_scale", "audioloss", all_losses=True)) == [
        "loss",
        "val_loss",
        "text_loss",
        "audioloss",
    ]


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
        ("", []),
    ],
)
def test_patterns(pattern, found):
    tags = ["loss", "train/text_loss", "lr", "train/lr[0]"]
    assert list(chosen(*tags, wanted=[TagPattern(pattern)])) == found


def test_a_pattern_that_is_none():
    with pytest.raises(SettingError, match="no regular expression"):
        TagPattern("re:(")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train/AudioLoss_1.ce-q3", "train audio loss 1 ce q 3"),
        ("AudioCELoss", "audio ce loss"),
        ("audioloss3", "audio loss 3"),
        ("gloss", "gloss"),
    ],
)
def test_words(name, text):
    assert words(name) == text


def test_closest():
    assert closest(["audio_los"], ["audio_loss", "lr"]) == ["audio_loss"]
