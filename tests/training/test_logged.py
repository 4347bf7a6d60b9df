"""A training and a scan of its log take the same number for the audio loss."""

import pytest

from audioloss_cli.naming.selection import select
from audioloss_cli.training.losses.trained_loss import audio_name
from tests.naming.test_selection import AUDIO, NEITHER, TRAINING


@pytest.mark.parametrize("tag", [*AUDIO, *NEITHER, *TRAINING])
def test_live_and_scan_name_the_audio_loss_alike(tag):
    names = ["lr", "loss", tag, "eval/audio_loss"]
    by_scan = [name for name, why in select({name: name for name in names}).roles.items() if why == "audio"]
    assert audio_name(names) == next((name for name in by_scan if name != "eval/audio_loss"), "")


def test_what_was_once_mistaken():
    assert audio_name(["audio_loss_weight", "loss"]) == ""
    assert audio_name(["audio_loss_weight", "speech_ce"]) == "speech_ce"
    assert audio_name(["loss", "codebook_0_loss"]) == "codebook_0_loss"
