"""What looks like a fall and is none of a cause: stairs at the epochs, and losses that may be negative."""

import math

from tests.causes.runs import causes, causes_of, noisy, series, slugs


def test_stairs_at_the_epochs_are_no_masking_in_place():
    stairs = [5.1, 3.4, 1.9, 0.8]
    loss = series("audio_loss", noisy(lambda step: stairs[min(step // 250, 3)]))
    epoch = series("epoch", lambda step: step / 250)
    found = causes_of("log-drop", 750, 1000, loss, epoch)
    assert "in-place-masking" not in slugs(found)[:1]
    once = series("audio_loss", noisy(lambda step: 4.5 if step < 750 else 0.4))
    assert slugs(causes_of("epoch-drop", 750, 1000, once, epoch))[0] == "in-place-masking"


def test_of_a_loss_that_may_be_negative_no_cause_of_a_fall_is_named():
    loss = series("train/loss", lambda step: (-14.0 if step < 600 else 1.5) + 0.1 * math.sin(step))
    assert causes("train/loss", loss) == []
