"""On a CUDA device: nothing that the guard does at a step waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy
from tests.training import loops

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode:UserWarning"),
]


@contextmanager
def no_waiting() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def to_device(batch):
    return {name: value.cuda() for name, value in batch.items()}


def test_the_mode_objects_to_item():
    value = torch.rand((), device="cuda")
    with no_waiting(), pytest.raises(RuntimeError, match="synchronizing"):
        value.item()


@pytest.mark.parametrize("form", ["loss", "outputs", "codebooks", "recomputed", "accumulated"])
def test_a_step_does_not_wait(tmp_path, form):
    """The structure of the first batches included."""
    guard = AudioLossGuard(directory=tmp_path)
    net = loops.tiny.model(use_text_head=True, **loops.SMALL).train().cuda()
    guard.examiner.model = net
    expected = []
    for step in range(1, 31):
        batch = to_device(loops.sample(step))
        batch["labels"] = batch["input_ids"].clone()
        loss = 5 + torch.rand((), device="cuda")
        books = 5 + torch.rand(8, device="cuda")
        outputs = {
            "loss": None,
            "accumulated": None,
            "outputs": {"audio_loss": loss, "llm_loss": loss, "loss": 2 * loss},
            "codebooks": {"codebook_losses": books, "loss": loss},
            "recomputed": net(**batch),
        }[form]
        given = loss if form in ("loss", "accumulated") else None
        norm = torch.rand((), device="cuda")
        with no_waiting():
            if form == "accumulated":
                guard.step(given, batch=batch, sync_gradients=False)
            guard.step(given, batch=batch, outputs=outputs, grad_norm=norm)
        expected.append(float(books.mean()) if form == "codebooks" else float(loss))
    torch.cuda.synchronize()
    guard.flush()
    seen = guard.monitor.diagnostics()
    assert seen["points"] == 30
    if form != "recomputed":
        assert seen["current"] == pytest.approx(expected[-1], rel=1e-6)
        assert seen["mean"] == pytest.approx(sum(expected) / 30, rel=1e-5)
    else:
        assert 5 < seen["current"] < 8
    if form == "codebooks":
        assert {f"codebook/{number}" for number in range(8)} <= guard.monitors.keys()
        assert 5 <= guard.monitors["codebook/7"].diagnostics()["current"] <= 6


def test_a_nan_is_seen_late_and_carries_its_step(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=Policy(critical=("dump", "advise", "stop")))
    net = loops.model().cuda()
    guard.examiner.model = net
    for step in range(1, 21):
        batch = to_device(loops.sample(step, masked=step == 8))
        outputs = net(**batch)
        guard.step(outputs.loss, batch=batch, outputs=outputs)
        if guard.should_stop:
            break
    guard.finish()
    assert guard.monitor.incidents[0].first_step == 8
    assert (tmp_path / "step-8-non-finite-loss.json").is_file()
    advice = next(taken for taken in guard.taken if taken.action == "advise")
    assert advice.outcome.startswith("all-masked")
    assert advice.step in (8, 9, 10)


def test_the_host_may_run_ahead_of_the_device(tmp_path):
    """More steps than there are rows: then, and only then, the oldest is waited for."""
    guard = AudioLossGuard(directory=tmp_path)
    big = torch.rand(4096, 4096, device="cuda")
    for step in range(150):
        loss = 5 + (big @ big).mean() * 0 + 0.001 * step
        guard.step(loss)
    guard.finish()
    assert guard.monitor.diagnostics()["points"] == 150
    assert guard.monitor.diagnostics()["current"] == pytest.approx(5.149, abs=1e-4)
