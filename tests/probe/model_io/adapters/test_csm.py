"""CSM: the two heads side by side, and the loss that they explain."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters.csm import Adapter
from tests.probe import tiny_siblings
from tests.probe.model_io.adapters.reference import shifted


def adapter() -> Adapter:
    return Adapter(tiny_siblings.csm_config().to_dict(), Options())


def mean_over_codebooks(logits: Tensor, labels: Tensor) -> Tensor:
    return torch.stack([cross_entropy(logits[:, k], labels[:, k]) for k in range(labels.shape[1])]).mean()


@pytest.mark.parametrize("backbone_only", [False, True])
def test_the_cross_entropy_of_the_rows_is_the_loss_of_the_model(backbone_only: bool) -> None:
    batch = tiny_siblings.csm_batch(backbone_only=backbone_only)
    with torch.no_grad():
        output = adapter().run(tiny_siblings.csm_model(), batch)
    labels, segments = adapter().labels(batch), adapter().segments(batch)
    found = mean_over_codebooks(output.logits, shifted(labels, segments, adapter().layout.shift))
    assert float(found) == pytest.approx(float(output.loss), rel=1e-5)
    for offset in (0, 2):
        elsewhere = mean_over_codebooks(output.logits, shifted(labels, segments, offset))
        assert float(elsewhere) != pytest.approx(float(output.loss), rel=1e-3), "any alignment would have done"


def test_the_rows_are_the_labelled_frames_and_those_before_them() -> None:
    batch = tiny_siblings.csm_batch()
    codes, samples = adapter().codes(batch), adapter().samples(batch)
    assert torch.equal(codes, torch.cat([batch["input_ids"][0], batch["input_ids"][1, 3:18]]))
    assert samples.bincount().tolist() == [20, 15]


def test_without_labels_the_rows_are_what_is_attended_to() -> None:
    batch = tiny_siblings.csm_batch()
    for labels in (None, torch.full_like(batch["labels"], -100)):
        samples = adapter().samples({**batch, "labels": labels})
        assert samples.bincount().tolist() == [20, 18]


def test_frames_that_the_depth_decoder_did_not_see_favour_no_code() -> None:
    batch = tiny_siblings.csm_batch(backbone_only=True)
    with torch.no_grad():
        logits = adapter().run(tiny_siblings.csm_model(), batch).logits
    empty = (logits[:, 1:] == 0).all(-1).all(-1)
    labels = adapter().labels(batch)
    segments = adapter().segments(batch)
    assert bool(empty.any())
    assert not bool(empty.all())
    assert torch.equal(empty, (shifted(labels, segments, 1)[:, 1:] == -100).all(-1))
    assert bool((logits[:, 0] != 0).any(-1).all())


def test_gradients_reach_both_heads() -> None:
    model = tiny_siblings.csm_model()
    output = adapter().run(model, tiny_siblings.csm_batch())
    output.logits.square().mean().backward()  # type: ignore[no-untyped-call]
    for head in (model.lm_head.weight, model.depth_decoder.codebooks_head.weight):
        assert float(head.grad.abs().sum()) > 0


def test_a_batch_of_the_processor_gives_its_loss_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    text = torch.randint(2, 49, (1, 12), generator=generator)
    text[0, 3:9] = 50
    batch = {
        "input_ids": text,
        "input_values": torch.randn(1, 1, 48, generator=generator),
        "input_values_cutoffs": torch.tensor([[48]]),
        "labels": torch.where(text == 50, 50, -100),
    }
    model = tiny_siblings.csm_model()
    codes = model.codec_model.encode(batch["input_values"]).audio_codes
    batch["input_ids"][0, 3 + codes.shape[-1] : 9] = 5
    assert adapter().codes(batch) is None
    assert adapter().labels(batch) is None
    with torch.no_grad():
        output = adapter().run(model, batch)
    assert output.logits is None
    assert 2 < float(output.loss) < 5
