"""Batches that are kept for an alert."""

import math
import weakref
from collections import UserDict, namedtuple
from dataclasses import make_dataclass
from types import SimpleNamespace

import pytest
import torch

from audioloss_cli.training import AudioLossGuard
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches, on_cpu
from tests.training import loops, wrapped_higgs
from tests.training.far import Far, far_of, install

#: Batches as public collators make them; what they hold is what counts.
OBJECTS = {
    "user dict": UserDict,
    "dataclass": lambda batch: make_dataclass("Made", list(batch))(**batch),
    "named tuple": lambda batch: namedtuple("Made", list(batch))(**batch),  # its fields are the batch's
    "attributes": lambda batch: SimpleNamespace(**batch),
    "keys": wrapped_higgs.Batch,
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_batch_object_is_examined_as_its_mapping_is(kind, tmp_path):
    guard = AudioLossGuard(model=loops.model(), directory=tmp_path)
    batch = OBJECTS[kind](loops.sample(8, masked=True))
    codes = [alert["code"] for alert in guard.step(5.0, batch=batch)]
    assert codes == ["all-masked"]
    assert guard.examiner.complaint == ""


def far_batch(batch):
    return {name: far_of(value) for name, value in batch.items()}


def test_a_batch_of_a_busy_device_is_read_when_it_has_come(monkeypatch):
    """A copy to the host that does not wait holds something else until it is over, as that of CUDA."""
    install(monkeypatch)
    batch = loops.sample(1)
    moved = on_cpu(MicroBatch(far_batch(batch), far_batch(batch)))
    for side in (moved.clean, moved.original):
        assert all(torch.equal(side[name], value) for name, value in batch.items())
    late = far_of(batch["input_ids"]).to(torch.device("cpu"), non_blocking=True)
    assert not late.any()
    Far.queues[torch.device("cuda:0")].run()
    assert torch.equal(late, batch["input_ids"])


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_found_in_a_batch_does_not_depend_on_where_it_lies(monkeypatch, masked):
    install(monkeypatch)
    examiner, batch = Examiner(forward=False), loops.sample(8, masked=masked)
    examiner.model = loops.model()
    examiner.choose(MicroBatch(batch))
    near, at_device = (examiner.full([MicroBatch(each)], 8, math.nan) for each in (batch, far_batch(batch)))
    assert [found.code for found in near.findings] == [found.code for found in at_device.findings]
    assert ("all-masked" in {found.code for found in near.findings}) == masked


def test_a_default_device_of_the_training_is_none_of_the_checks():
    """Of ``torch.set_default_device``: what the checks make lies where the batch is, on the host."""
    examiner, batch = Examiner(), loops.sample(8)
    examiner.model = loops.model()
    examiner.choose(MicroBatch(batch))
    usual = examiner.full([MicroBatch(batch)], 8, math.nan)
    with torch.device("meta"):
        elsewhere = examiner.full([MicroBatch(batch)], 8, math.nan)
    assert (elsewhere.notes, [found.code for found in elsewhere.findings]) == (
        usual.notes,
        [found.code for found in usual.findings],
    )


def test_no_graph_is_kept_alive_by_a_batch():
    """Embeddings that a loop computes for its model lead back to all that they were made of."""
    kept, part = RecentBatches(), torch.nn.Linear(2, 2)
    embeddings = part(torch.ones(1, 2))
    held = weakref.ref(embeddings)
    kept.add(MicroBatch({"inputs_embeds": embeddings, "note": "x"}))
    kept.close(1)
    (fed,) = kept.at(1)
    assert torch.equal(fed.clean["inputs_embeds"], embeddings.detach())
    assert fed.clean["note"] == "x"
    del embeddings
    assert held() is None


class Half(torch.nn.Module):
    """With a kernel that knows no other dtype, as FlashAttention."""

    def __init__(self, net, last):
        super().__init__()
        self.net, self.last, self.config = net, last, net.config

    def forward(self, **batch):
        product = torch.ones(1, 1) @ torch.ones(1, 1)
        if product.dtype == torch.float32 or self.last:
            raise RuntimeError(f"only half precision, not {product.dtype}")
        return self.net(**batch)


@pytest.mark.parametrize("last", [False, True])
def test_a_model_that_runs_under_autocast_alone_is_run_so(last):
    batch, examiner = loops.sample(8, masked=True), Examiner()
    examiner.model = Half(loops.model(), last)
    examiner.choose(MicroBatch(batch))
    found = {finding.code: finding.message for finding in examiner.full([MicroBatch(batch)], 8, math.nan).findings}
    assert "all-masked" in found
    assert ("forward-failed" in found) == last
    assert not last or "torch.float32" in found["forward-failed"]
