"""On a CUDA device: nothing that the guard does at a step waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import pytest
import torch
import torch.distributed as dist
from lightning.pytorch.plugins.precision import MixedPrecision

from audioloss_cli.training import (
    AudioLossCallback,
    AudioLossGuard,
    AudioLossLightning,
    AudioLossMixin,
    Policy,
)
from audioloss_cli.training.integrations.lightning.step import _both
from audioloss_cli.training.transport.arrivals import AsyncScalars
from audioloss_cli.training.transport.ranks import Ranks
from tests.training import loops

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
]


@contextmanager
def no_waiting() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@contextmanager
def ahead_of_the_device() -> Iterator[None]:
    """The mode above sees no wait for an event: what is done here is done before the device has come to it."""
    torch.cuda._sleep(200_000_000)  # cycles: a tenth of a second
    reached = torch.cuda.Event()
    reached.record()
    with no_waiting():
        yield
    assert not reached.query(), "the host waited for the device"


def not_waiting(owner, *names):
    """Have these methods raise if they wait."""
    for name in names:
        setattr(owner, name, no_waiting()(getattr(owner, name)))


SILENT = Policy(critical=(), warning=())
WARM_UP = 5  # steps in which memory is allocated, for which the device may be waited for


class Mixed(AudioLossMixin, loops.InOrder):
    pass


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
        with ahead_of_the_device() if step > WARM_UP else no_waiting():
            if form == "accumulated":
                guard.step(given, batch=batch, sync_gradients=False)
            guard.step(given, batch=batch, outputs=outputs, grad_norm=norm)
        expected.append(float(books.mean()) if form == "codebooks" else float(loss))
    torch.cuda.synchronize()
    guard.flush()
    seen = guard.monitor.diagnostics()
    if form != "recomputed":
        assert seen["points"] == 30
        assert seen["current"] == pytest.approx(expected[-1], rel=1e-6)
        assert seen["mean"] == pytest.approx(sum(expected) / 30, rel=1e-5)
    else:  # of some steps alone
        assert 3 <= seen["points"] <= 5
        assert 5 < seen["current"] < 8
    assert ("codebook/7" in guard.monitors) == (form in ("codebooks", "recomputed"))
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
        torch.cuda._sleep(20_000_000)  # what is copied from here on has not come when the host goes on
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


def test_a_device_that_is_seen_after_a_float_is_not_waited_for():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, deferred=True)
    guard.step(5.0)
    guard.step(torch.tensor(5.0, device="cuda"))  # rows and events are made
    big = torch.rand(4096, 4096, device="cuda")
    for step in range(20):
        loss = 5 + (big @ big).mean() * 0 + 0.01 * step
        with no_waiting():
            guard.step(loss)
    guard.flush()
    points = [value for _, value, _ in guard.pipeline.watch.points]
    assert points == pytest.approx([5.0, 5.0, *[5 + 0.01 * step for step in range(20)]], abs=1e-5)


def test_the_end_of_a_copy_is_marked_on_the_stream_of_the_step():
    """Behind much work: a number that is read too early is the one of 64 steps before."""
    late, stream = AsyncScalars(), torch.cuda.Stream()
    big, read = torch.rand(4096, 4096, device="cuda"), []
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        for step in range(200):
            late.put(step, {"audio": (big @ big).mean() * 0 + step})
            read += [(row.step, row.values["audio"]) for row in late.ready()]
    read += [(row.step, row.values["audio"]) for row in late.ready(flush=True)]
    assert read == [(step, float(step)) for step in range(200)]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one CUDA device")
def test_losses_on_two_devices():
    """The current one has nothing to do, the other much."""
    late, read = AsyncScalars(), []
    big, small = torch.rand(4096, 4096, device="cuda:1"), torch.rand((), device="cuda:0")
    for step in range(200):
        late.put(step, {"audio": (big @ big).mean() * 0 + step, "total": small * 0 - step})
        read += [(row.step, row.values) for row in late.ready()]
    read += [(row.step, row.values) for row in late.ready(flush=True)]
    assert read == [(step, {"audio": float(step), "total": -float(step)}) for step in range(200)]


def test_a_look_in_mid_run_does_not_wait(tmp_path):
    guard, told = AudioLossGuard(policy=SILENT, directory=tmp_path, look_again=0.0, first_batches=1), []
    guard.examiner.model = loops.model().cuda()
    for step in range(1, 31):
        batch = loops.sample(step)
        if step > 10:
            batch["audio_labels"][:, 1:] = -100
            batch["audio_labels"][:, 0] = batch["audio_input_ids"][:, 0]
        batch, loss = to_device(batch), 5 + torch.rand((), device="cuda")
        with no_waiting():
            told += guard.step(loss, batch=batch)
        torch.cuda.synchronize()
    assert "low-valid-fraction" in [alert.code for alert in told]


@pytest.mark.parametrize("backend", ["nccl", "cpu:gloo,cuda:nccl"])
@pytest.mark.parametrize("first", [{}, {"audio": 5.0}])
def test_ranks_that_begin_without_a_tensor(tmp_path, backend, first):
    """A group of one: NCCL takes no tensor of the CPU, however many there are."""
    dist.init_process_group(backend, init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        late, read = AsyncScalars(Ranks()), []
        for step in range(20):
            value = torch.tensor(float(step), device="cuda")
            if step < WARM_UP:
                late.put(step, {"audio": value} if step else first)
                read += list(late.ready())
            else:
                with no_waiting():
                    late.put(step, {"audio": value, "text": torch.tensor(2.0)})
                    read += list(late.ready())
        read += list(late.ready(flush=True))
    finally:
        dist.destroy_process_group()
    assert read[0].values == first
    assert [row.values["audio"] for row in read[1:]] == [float(step) for step in range(1, 20)]
    assert read[-1].values["text"] == 2.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_mean_is_over_all_codebooks(dtype):
    guard = AudioLossGuard(policy=SILENT, jsonl=False)
    books = (5 + torch.rand(24, device="cuda")).to(dtype)
    guard.step(outputs={"codebook_losses": books.clone()})
    for _ in range(3):
        with no_waiting():
            guard.step(outputs={"codebook_losses": books})
            guard.step(outputs={"codebook_losses": list(books)})
    guard.flush()
    assert guard.monitor.diagnostics()["mean"] == pytest.approx(float(books.double().mean()), rel=1e-5)
    assert {f"codebook/{book}" for book in range(16)} == guard.monitors.keys() - {"audio_loss"}


@pytest.mark.skipif(torch.cuda.device_count() > 1, reason="the Trainer would use all of them: DataParallel")
@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0])
@pytest.mark.parametrize("optim", ["adamw_torch", "adamw_torch_fused"])
def test_the_trainer_skips_batches_in_fp16(tmp_path, max_grad_norm, optim):
    callback = AudioLossCallback(SILENT, jsonl=False)
    callback.loop.skip(2)
    settings = {"use_cpu": False, "fp16": True, "max_grad_norm": max_grad_norm, "optim": optim}
    made = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(tmp_path, 6, **settings),
        train_dataset=loops.Samples(6),
        callbacks=[callback],
    )
    made.train()
    assert (callback.loop.skips, made.state.global_step) == (0, 6)
    assert callback.guard.monitor.diagnostics()["points"] == 6


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("fused", [False, True])
def test_lightning_skips_batches_in_fp16(tmp_path, fused):
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.part = torch.nn.Linear(2, 1)

        def training_step(self, batch, batch_idx):
            return self.part(batch).square().sum()

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-2, fused=fused)

    callback = AudioLossLightning(SILENT, jsonl=False)
    callback.loop.skip(2)
    trainer = lightning.Trainer(
        max_steps=6,
        accelerator="gpu",
        devices=1,
        callbacks=[callback],
        plugins=[MixedPrecision("16-mixed", "cuda")],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
        logger=False,
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.ones(16, 2), batch_size=1))
    assert (callback.loop.skips, trainer.global_step) == (0, 6)


@pytest.mark.skipif(torch.cuda.device_count() > 1, reason="the Trainer would use all of them: DataParallel")
@pytest.mark.parametrize("precision", [{}, {"bf16": True}, {"fp16": True}])
@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("kind", [loops.InOrder, Mixed])
def test_what_a_trainer_calls_does_not_wait(tmp_path, kind, accumulation, precision):
    callback = AudioLossCallback(SILENT, jsonl=False)
    not_waiting(callback, "on_pre_optimizer_step", "on_step_end", "on_log")
    not_waiting(callback.hook, "_after_forward", "trained")
    settings = {"use_cpu": False, "gradient_accumulation_steps": accumulation, **precision}
    args = loops.arguments(tmp_path, 20, **settings)
    made = kind(model=loops.model(), args=args, train_dataset=loops.Samples(40), callbacks=[callback])
    made.train()
    assert callback.guard.monitor.diagnostics()["points"] == made.state.global_step == 20
    assert 2 < callback.guard.monitor.diagnostics()["current"] < 7.5


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("logs", [False, True])
def test_what_lightning_calls_does_not_wait(tmp_path, logs):
    """Though the loss is on the progress bar, for which Lightning itself waits."""

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = loops.model()

        def training_step(self, batch, batch_idx):
            loss = self.model(**batch).loss / 8
            if logs:
                self.log("audio_loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    callback = AudioLossLightning(SILENT, jsonl=False)
    not_waiting(callback, "on_train_batch_start", "on_before_optimizer_step", "on_train_batch_end")
    trainer = lightning.Trainer(
        max_steps=20,
        accelerator="gpu",
        devices=1,
        callbacks=[callback],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
        logger=False,
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(loops.Samples(20), batch_size=1))
    assert callback.guard.monitor.diagnostics()["points"] == trainer.global_step == 20


def test_a_default_device_of_the_training():
    guard = AudioLossGuard(policy=SILENT, jsonl=False)
    with torch.device("cuda"):
        for step in range(5):
            guard.step(torch.tensor(5.0 + step))
        guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == [5, 6, 7, 8, 9]


def test_a_loss_in_a_graph_is_read_before_it_is_replayed():
    """Its copy is queued behind the replay that wrote it, and before the next."""
    guard, static = AudioLossGuard(policy=SILENT, jsonl=False), torch.zeros((), device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        static += 1
    static.fill_(4.0)
    for _ in range(6):
        graph.replay()
        guard.step(static)
    guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("returned", ["device", "cpu", "number"])
def test_both_losses_of_lightning_are_looked_at_on_the_device(returned):
    logged = torch.tensor(4.0, device="cuda")
    loss = {"device": torch.tensor(5.0, device="cuda"), "cpu": torch.tensor(5.0), "number": 5.0}[returned]
    with no_waiting():
        found = _both(logged, loss)["audio"]
    assert (found.device.type, float(found)) == ("cuda", 4.0)
