"""The audio loss that is recomputed, beside the one of the model and of the probe."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from audioloss_cli.model import Severity
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters import dia, higgs_audio, higgs_audio_v2
from audioloss_cli.training.losses.agreement import Agreement
from audioloss_cli.training.losses.read import read_losses
from audioloss_cli.training.losses.recompute import by_offset, recompute
from audioloss_cli.training.transport.arrivals import AsyncScalars
from tests.probe import tiny, tiny_families
from tests.training import loops
from tests.training.far import Far, far, far_of, install


@pytest.mark.parametrize("lengths", [((30, 20), (40,)), ((5,), (17, 3)), ((12,),)])
def test_beside_the_loss_of_transformers(lengths):
    model, batch = loops.model(), tiny.hf_batch(lengths)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    outputs = model(**batch)
    each = recompute(outputs, batch, layout)
    again = each.mean()
    assert each.shape == (8,)
    assert float(again) == pytest.approx(float(outputs.loss.detach()) / 8, rel=1e-5)
    text = {**batch, "labels": batch["input_ids"]}
    found = read_losses(None, model(**text), text, layout)
    assert found["audio"] == pytest.approx(float(again), rel=1e-6)
    assert [found[f"codebook/{book}"] for book in range(8)] == pytest.approx(each.tolist(), rel=1e-6)
    assert float(read_losses(None, outputs, batch, layout)["audio"]) == pytest.approx(float(again), rel=1e-5)


def test_beside_the_cross_entropy_by_hand_in_the_original_layout():
    batch = tiny.original_batch(((6,), (9, 4)))
    layout = higgs_audio.Adapter({}, Options()).layout
    labels = batch["label_audio_ids"].T
    logits = torch.randn(*labels.shape, 1026, generator=torch.Generator().manual_seed(0))
    bounds = [*batch["audio_out_ids_start"].tolist(), len(labels)]
    pieces = [range(start, end) for start, end in itertools.pairwise(bounds)]
    rows = torch.tensor([row for piece in pieces for row in piece[:-1]])
    by_hand = torch.stack([cross_entropy(logits[rows, k], labels[rows + 1, k]) for k in range(8)])
    again = recompute({"audio_logits": logits}, batch, layout)
    assert again.tolist() == pytest.approx(by_hand.tolist(), rel=1e-5)


def test_labels_that_are_all_masked_are_nan():
    model, batch = loops.model(), loops.sample(1, masked=True)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    assert torch.isnan(recompute(model(**batch), batch, layout)).all()


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


MANY = [float(book) for book in range(1, 25)]


@pytest.mark.parametrize(
    "books",
    [
        torch.tensor(MANY),
        MANY,
        dict(enumerate(MANY)),
        far(MANY),
        [far(value) for value in MANY],
        [far(value, f"cuda:{int(value) % 2}") for value in MANY],
        [far([value]) if value % 3 else torch.tensor([value]) for value in MANY],
    ],
    ids=["cpu", "list", "mapping", "device", "list on a device", "two devices", "mixed"],
)
def test_the_mean_is_over_all_codebooks_and_the_first_16_are_watched_one_by_one(monkeypatch, books):
    """Wherever they lie, and without a wait for a device."""
    install(monkeypatch)
    late = AsyncScalars()
    late.put(1, read_losses(None, {"codebook_losses": books}))
    assert Far.waits == []
    (row,) = late.ready(flush=True)
    assert row.values == {"audio": 12.5} | {f"codebook/{book}": book + 1.0 for book in range(16)}


def test_a_mean_over_codebooks_reads_nothing():
    """A meta tensor has nothing to read."""
    for books in (torch.zeros(24, device="meta"), list(torch.zeros(24, device="meta"))):
        found = read_losses(None, {"codebook_losses": books})
        assert (found["audio"].device.type, found["audio"].shape, found["audio"].dtype) == ("meta", (), torch.float32)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_mean_over_codebooks_of_low_precision_is_no_coarser_than_on_the_cpu(dtype):
    """Else it would come to the same few values again and again, as a loss that is frozen does."""
    books = 5 + torch.rand(8, generator=torch.Generator().manual_seed(1)).to(dtype)
    means = [read_losses(None, {"codebook_losses": each})["audio"] for each in (books, far_of(books), list(books))]
    numbers = [float(mean.inner if isinstance(mean, Far) else mean) for mean in means]
    assert numbers == pytest.approx([means[0]] * 3, rel=1e-6)


def test_a_batch_of_text_alone_has_no_audio_loss():
    model, batch = loops.model(use_text_head=True), loops.sample(1)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    batch = {**batch, "labels": batch["input_ids"]}
    outputs = model(**batch)
    batch |= {name: value[:, :0] for name, value in batch.items() if "audio" in name}
    assert recompute(outputs, batch, layout) is None
    found = read_losses(None, outputs, batch, layout)
    assert (found, found.own) == ({"total": outputs.loss}, ("total",))


@pytest.mark.parametrize(
    ("books", "found"),
    [
        ({"0": torch.tensor(5.0), "1": 3.0}, [5.0, 3.0]),
        ((5.0, torch.tensor([3.0])), [5.0, 3.0]),
        (np.array([5.0, 3.0], dtype=np.float32), [5.0, 3.0]),
        ([np.float32(5.0), 3], [5.0, 3.0]),
    ],
)
def test_codebooks_may_come_in_any_collection(books, found):
    losses = read_losses(None, {"codebook_losses": books})
    assert (losses.named, losses.odd) == (True, ())
    assert [float(losses[f"codebook/{number}"]) for number in range(len(found))] == found
    assert float(losses["audio"]) == sum(found) / len(found)


def test_a_codebook_without_a_loss_keeps_its_place():
    losses = read_losses(None, {"codebook_losses": [None, torch.tensor(4.0)]})
    assert losses == {"codebook/1": 4.0, "audio": 4.0}
    assert losses.odd == ["codebook_losses must be one number for each codebook, not a list of NoneType, Tensor"]


def test_which_losses_are_the_own_one_of_the_model():
    """Only that one is divided by the number of items of a whole step."""
    model, batch = loops.model(use_text_head=True), loops.sample(1)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    text = {**batch, "labels": batch["input_ids"]}
    own = torch.tensor(3.0)

    def owned(outputs, *args, loss=None, **kwargs):
        return [*read_losses(loss, outputs, *args, **kwargs).own]

    assert owned(model(**text), text, layout) == ["total"]  # beside what is recomputed
    assert owned(model(**text), text, layout, again=False) == ["total"]
    assert owned(model(**batch), batch, layout) == owned({"loss": own}) == ["audio"]
    assert owned({"loss": own}, loss=2 * own) == owned({"audio_loss": own}) == []
    assert owned({"loss": own, "audio_loss": own}) == ["audio"]
    assert owned({"loss": own, "audio_loss": own / 2}) == ["total"]


def in_layout(name):
    """Outputs, batch, adapter and the key of its labels, for a layout of Higgs Audio or a family that is described."""
    if name == "original":
        batch = tiny.original_batch(((6,), (9, 4)))
        logits = torch.randn(*batch["label_audio_ids"].T.shape, 1026, generator=torch.Generator().manual_seed(0))
        return {"audio_logits": logits}, batch, higgs_audio.Adapter({}, Options()), "label_audio_ids"
    if name == "transformers":
        model, batch = loops.model(), tiny.hf_batch(((30, 20), (40,)))
        return model(**batch), batch, higgs_audio_v2.Adapter(model.config.to_dict(), Options()), "audio_labels"
    batch = tiny_families.delayed_batch(by_book=True)
    model = tiny_families.Delayed(tiny_families.DIA, by_book=True)
    return model(**batch), batch, dia.Adapter(tiny_families.DIA, Options()), "labels"


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("name", ["original", "transformers", "dia"])
def test_at_each_offset_a_device_gives_what_the_host_does(name, ahead, monkeypatch):
    """Labels that the collator has shifted are recognised there too, without a wait."""
    install(monkeypatch)
    outputs, batch, adapter, key = in_layout(name)
    if ahead and name != "dia":  # whose labels stand where the logits are
        columns = -1 if name == "original" else 1
        labels = batch[key].roll(-1, columns)
        labels.select(columns, -1).fill_(-100)
        batch = {**batch, key: labels}
    near = by_offset(outputs, batch, adapter.layout, adapter)
    shown = {each: far_of(outputs[each].detach()) for each in ("logits", "audio_logits") if each in outputs}
    moved = {each: far_of(value) for each, value in batch.items()}
    there = by_offset(shown, moved, adapter.layout, adapter)
    assert Far.waits == []
    for ours, theirs in list(zip(near, there, strict=True))[: 1 + (name != "dia")]:  # a batch of samples has no across
        assert [each.inner.tolist() for each in theirs] == [pytest.approx(each.tolist(), rel=1e-5) for each in ours]
    usual = by_offset(outputs, in_layout(name)[1], adapter.layout, adapter)
    assert float(near.within[1].mean()) == pytest.approx(float(usual.within[1].mean()), rel=0.05)


@pytest.mark.parametrize("ignored", [-1, 1026, -100])
def test_what_the_loop_ignores_by_an_index_of_its_own_is_left_out(ignored):
    """Cross entropy would call it an error, which no program on a device survives."""
    model, batch = loops.model(), tiny.hf_batch(((30, 20), (40,)))
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    labels = batch["audio_labels"].clone()
    labels[:, 3:9] = -100
    outputs = model(**{**batch, "audio_labels": labels})
    shown = {**batch, "audio_labels": labels.masked_fill(labels == -100, ignored)}
    assert float(recompute(outputs, shown, layout).mean()) == pytest.approx(float(outputs.loss.detach()) / 8, rel=1e-5)


def test_a_segment_that_begins_at_the_end_is_no_index_beyond_it():
    batch = tiny.original_batch(((6,), (9, 4)))
    layout = higgs_audio.Adapter({}, Options()).layout
    logits = torch.randn(*batch["label_audio_ids"].T.shape, 1026, generator=torch.Generator().manual_seed(0))
    usual = recompute({"audio_logits": logits}, batch, layout)
    starts = batch["audio_out_ids_start"]
    more = {**batch, "audio_out_ids_start": torch.cat([starts, torch.tensor([len(logits)])])}
    assert torch.equal(recompute({"audio_logits": logits}, more, layout), usual)


def test_a_batch_may_lie_elsewhere_than_the_logits():
    """A wrapper of the model moves it, and the loop shows it as it was."""
    model = loops.model(use_text_head=True)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    batch = loops.sample(1)
    shown = {"logits": model(**batch).logits.to("meta"), "loss": torch.tensor(9.0, device="meta")}
    found = read_losses(None, shown, {**batch, "labels": batch["input_ids"]}, layout)
    assert (found["audio"].device.type, found["audio"].shape, found.odd) == ("meta", (), ())
    original = tiny.original_batch(((6,), (9, 4)))
    logits = torch.zeros(*original["label_audio_ids"].T.shape, 1026, device="meta")
    assert (
        recompute({"audio_logits": logits}, original, higgs_audio.Adapter({}, Options()).layout).device.type == "meta"
    )


def test_what_cannot_be_recomputed_does_not_cost_the_loss_that_is_trained():
    model, batch = loops.model(use_text_head=True), loops.sample(1)
    layout = higgs_audio_v2.Adapter(model.config.to_dict(), Options()).layout
    batch["labels"] = batch["input_ids"]
    outputs = {"loss": torch.tensor(9.0), "logits": model(**batch).logits.to(torch.complex64)}
    found = read_losses(None, outputs, batch, layout)
    assert found == {"audio": outputs["loss"]}
    assert found.odd[0].startswith("not recomputed from logits and labels: ")


@pytest.mark.parametrize(("trained", "code"), [(0, "label-leak"), (1, None), (2, "double-shift")])
def test_the_offset_that_is_trained_is_found(trained, code):
    """Of losses that fall as the one at that offset does, once what is learnt shows."""
    agreement, found = Agreement(), []
    for step in range(1, 30):
        costs = [7.0 + 0.05 * step + 0.3 * offset for offset in range(3)]
        costs[trained] = 7.0 - 0.1 * step
        if agreement.due():
            values = {"part": costs[trained] * 1.03, **dict(zip(("at_0", "at_1", "at_2"), costs, strict=True))}
            found += [each.code for each in agreement.judge(values)]
    assert set(found) == ({code} if code else set())


def test_a_step_that_shows_no_outputs_when_it_is_to_be_measured_leaves_that_to_a_later_one(monkeypatch):
    """It measured nothing, and so said nothing of when the next is due: none was, for the rest of the training."""
    clock = [100.0]
    monkeypatch.setattr("audioloss_cli.training.losses.agreement.perf_counter", lambda: clock[0])
    agreement = Agreement()
    for _ in range(60):  # the first ones are counted
        agreement.due()
    due = []
    for _ in range(60):
        clock[0] += 1.0
        due.append(agreement.due())
    assert due.count(True) == 12  # each 5 seconds
    agreement.took(0.02)
    later = []
    for _ in range(40):
        clock[0] += 1.0
        later.append(agreement.due())
    assert 20 <= later.index(True) + 1 <= 26


def test_a_loss_of_another_scale_is_a_note():
    agreement, found = Agreement(), []
    for step in range(1, 60):
        right = 7.0 - 0.05 * step
        values = {"part": 8 * right, "at_0": 7.1 + 0.1 * step, "at_1": right, "at_2": 7.2 + 0.1 * step}
        found += agreement.judge(values) if agreement.due() else []
    assert {(each.code, each.severity) for each in found} == {("loss-scale", Severity.INFO)}
