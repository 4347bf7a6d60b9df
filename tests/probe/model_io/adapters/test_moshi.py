"""Moshi: what its model scores against what."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters.moshi import Adapter
from tests.probe import tiny_siblings
from tests.probe.model_io.adapters.reference import shifted

PADDING = tiny_siblings.MOSHI_IDS


def adapter() -> Adapter:
    return Adapter(tiny_siblings.moshi_config().to_dict(), Options())


def test_the_cross_entropy_of_the_rows_is_the_loss_of_the_model() -> None:
    batch = tiny_siblings.moshi_batch(frames=60)
    with torch.no_grad():
        output = adapter().run(tiny_siblings.moshi_model(), batch)
    labels, segments = adapter().labels(batch), adapter().segments(batch)
    assert float(cross_entropy(output.logits.flatten(0, 1), labels.flatten())) == pytest.approx(float(output.loss))
    by_codebook = [cross_entropy(output.logits[:, k], labels[:, k]) for k in range(tiny_siblings.K)]
    assert float(sum(by_codebook)) / tiny_siblings.K == pytest.approx(float(output.loss), rel=1e-5)
    for offset in (-1, 1):
        moved = shifted(labels, segments, offset)
        elsewhere = cross_entropy(output.logits.flatten(0, 1), moved.flatten())
        assert float(elsewhere) != pytest.approx(float(output.loss), rel=1e-3), "any alignment would have done"


def test_labels_are_one_column_late_but_for_the_first_codebook() -> None:
    labels = torch.arange(2 * 2 * 3).view(2, 2, 3)
    labels[1, 0, 1] = PADDING
    found = adapter().labels({"audio_labels": labels})
    assert found.tolist() == [[0, -100], [1, 3], [2, 4], [6, -100], [-100, 9], [8, 10]]


def test_the_logits_are_a_view() -> None:
    kept = []
    model = tiny_siblings.moshi_model()
    model.register_forward_hook(lambda *call: kept.append(call[2].audio_logits))
    with torch.no_grad():
        logits = adapter().run(model, tiny_siblings.moshi_batch()).logits
    assert logits.data_ptr() == kept[0].data_ptr()


@pytest.mark.parametrize("lost", ["text_labels", "audio_labels"])
def test_without_both_kinds_of_labels_there_are_no_logits(lost: str) -> None:
    batch = tiny_siblings.moshi_batch()
    del batch[lost]
    with torch.no_grad():
        output = adapter().run(tiny_siblings.moshi_model(), batch)
    assert output.logits is None
    assert output.loss is None


def test_the_vocabulary_is_that_of_the_encoder_where_nothing_else_says() -> None:
    config = {"model_type": "moshi", "audio_encoder_config": {"codebook_size": 77}}
    layout = Adapter(config, Options()).layout
    assert (layout.vocab_size, layout.bos, layout.num_codebooks) == (77, 77, 8)
