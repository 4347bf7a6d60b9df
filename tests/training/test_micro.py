"""Micro-batches as one step, however the loop treats its tensors in between."""

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy
from audioloss_cli.training.losses.micro_batches import MicroBatches

SILENT = Policy(critical=(), warning=())


def test_a_loss_that_is_divided_in_place_is_read_as_it_was_given():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for step in range(3):
        for micro in range(4):
            loss = torch.tensor(8.0 + step, requires_grad=True) * 1.0
            guard.step(loss, sync_gradients=micro == 3)
            loss /= 4
            loss.backward()
    guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == [8.0, 9.0, 10.0]


def test_no_graph_is_kept_alive_while_gradients_accumulate():
    micro, loss = MicroBatches(), torch.ones(3, requires_grad=True, device="meta").sum()
    micro.add({"audio": loss}, copy=True)
    micro.add({"audio": loss, "total": loss}, copy=True)
    assert not any(value.requires_grad for value in micro.close().values())


def test_what_lies_on_the_cpu_is_added_up_as_numbers():
    micro = MicroBatches()
    for loss in (0.1, 0.2, 0.4):
        micro.add({"audio": torch.tensor(loss, dtype=torch.float64, requires_grad=True)}, copy=True)
    assert micro.close() == {"audio": (0.1 + 0.2 + 0.4) / 3}


@pytest.mark.parametrize("counts", [(8, 4), (4, 8), (8, 8, 4), (4, 8, 8, 2)])
def test_codebooks_whose_number_changes_are_means_of_those_that_were_there(counts):
    micro = MicroBatches()
    for number, count in enumerate(counts):
        micro.add({"codebooks": torch.arange(float(count)) + number, "audio": torch.tensor(1.0)})
    found = micro.close()
    assert found.pop("audio") == 1.0
    for book in range(max(counts)):
        each = [book + number for number, count in enumerate(counts) if book < count]
        assert float(found[f"codebook/{book}"]) == pytest.approx(sum(each) / len(each))


def test_codebooks_that_lie_together_beside_those_of_a_list():
    micro = MicroBatches()
    micro.add({"codebooks": torch.tensor([1.0, 2.0])})
    micro.add({"codebook/0": 3.0, "codebook/1": 4.0, "codebook/2": 5.0})
    assert {name: float(value) for name, value in micro.close().items()} == {
        "codebook/0": 2.0,
        "codebook/1": 3.0,
        "codebook/2": 5.0,
    }


def test_codebooks_on_a_device_may_change_their_number():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for count in (8, 4):
        guard.step(outputs={"codebook_losses": torch.ones(count, device="meta")}, sync_gradients=False)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_of_low_precision_are_not_rounded_again_as_they_add_up(dtype):
    micro = MicroBatches()
    each = (5 + torch.rand(16, generator=torch.Generator().manual_seed(0))).to(dtype)
    for loss in each.unbind():
        micro.add({"audio": loss}, copy=True)
    assert float(micro.close()["audio"]) == pytest.approx(float(each.double().mean()), rel=1e-6)
