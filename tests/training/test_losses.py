"""The audio loss that is recomputed, beside the one of the model and of the probe."""

import itertools

import pytest
import torch
from torch.nn.functional import cross_entropy

from audioloss_cli.probe.adapter import Options
from audioloss_cli.probe.adapters import higgs_audio, higgs_audio_v2
from audioloss_cli.training.losses import read_losses
from audioloss_cli.training.recompute import recompute
from tests.probe import tiny
from tests.training import loops


@pytest.mark.parametrize("lengths", [((30, 20), (40,)), ((5,), (17, 3)), ((12,),)])
def test_beside_the_loss_of_transformers(lengths):
    model, batch = loops.model(), tiny.hf_batch(lengths)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    outputs = model(**batch)
    again = recompute(outputs, batch, layout)
    assert float(again) == pytest.approx(float(outputs.loss.detach()) / 8, rel=1e-5)
    text = {**batch, "labels": batch["input_ids"]}
    assert read_losses(None, model(**text), text, layout)["audio"] == pytest.approx(float(again), rel=1e-6)
    assert float(read_losses(None, outputs, batch, layout)["audio"]) == pytest.approx(float(again), rel=1e-5)


def test_beside_the_cross_entropy_by_hand_in_the_original_layout():
    batch = tiny.original_batch(((6,), (9, 4)))
    layout = higgs_audio.Adapter({}, Options()).layout
    labels = batch["label_audio_ids"].T
    logits = torch.randn(*labels.shape, 1026, generator=torch.Generator().manual_seed(0))
    bounds = [*batch["audio_out_ids_start"].tolist(), len(labels)]
    pieces = [range(start, end) for start, end in itertools.pairwise(bounds)]
    rows = torch.tensor([row for piece in pieces for row in piece[:-1]])
    by_hand = torch.stack([cross_entropy(logits[rows, k], labels[rows + 1, k]) for k in range(8)]).mean()
    again = recompute({"audio_logits": logits}, batch, layout)
    assert float(again) == pytest.approx(float(by_hand), rel=1e-5)


def test_labels_that_are_all_masked_are_nan():
    model, batch = loops.model(), loops.sample(1, masked=True)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    assert torch.isnan(recompute(model(**batch), batch, layout))


def test_what_cannot_be_recomputed_is_left():
    layout = higgs_audio_v2.Adapter({}, Options()).layout
    assert recompute({}, {}, layout) is None
    assert recompute({"logits": torch.zeros(1, 3, 5)}, loops.sample(1), layout) is None
    assert read_losses(2.0, {"logits": None}, {}, layout) == {"audio": 2.0}
    assert read_losses(None, {}) == {}


def test_codebooks_on_a_device_stay_together():
    far = torch.zeros(20, device="meta")  # more than are watched
    found = read_losses(None, {"codebook_losses": far, "loss": torch.zeros((), device="meta")})
    assert {name: tuple(value.shape) for name, value in found.items()} == {"codebooks": (16,), "total": (), "audio": ()}
