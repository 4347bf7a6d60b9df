"""The guard in a plain loop."""

import json
import logging
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from audioloss_cli import AudioLossMonitor
from audioloss_cli.training import AudioLossError, AudioLossGuard, Policy
from audioloss_cli.training.batches.evidence import STRUCTURAL, check_inputs
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch
from tests.training import loops

STOP = Policy(critical=("stop",))


class Waits(TorchDispatchMode):
    """Counts what makes a host wait for a device: a scalar that is read, and a result of unknown size."""

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "is_nonzero", "equal", "unique_dim")

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        masks = name in ("index", "index_put_") and any(
            isinstance(each, torch.Tensor) and each.dtype == torch.bool for each in args[1]
        )
        if name in self.NAMES or masks:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def fine_tune(guard, steps, broken=(), fault="masked", **model):
    """A plain loop; the steps at which the guard spoke."""
    net = loops.model(**model)
    guard.examiner.model = net
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    spoke = []
    for step in range(1, steps + 1):
        batch = loops.sample(step, **{fault: step in broken})
        outputs = net(**batch)
        optimizer.zero_grad()
        outputs.loss.backward()
        if math.isfinite(outputs.loss.detach()):
            optimizer.step()
        if guard.step(outputs.loss, batch=batch, outputs=outputs):
            spoke.append(step)
        if guard.should_stop:
            break
    guard.finish()
    return spoke


def test_it_says_nothing_of_a_healthy_loop(tmp_path):
    guard = AudioLossGuard(directory=tmp_path / "alerts")
    assert fine_tune(guard, 20) == []
    assert guard.monitor.diagnostics()["points"] == 20
    assert not (tmp_path / "alerts").exists()


@pytest.mark.parametrize("deferred", [False, True])
def test_a_nan_is_seen_at_its_step_and_the_loop_is_told_to_stop(tmp_path, deferred):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP, deferred=deferred)
    assert fine_tune(guard, 20, {8}) == [8]
    assert [(taken.action, taken.step, taken.done) for taken in guard.taken] == [("stop", 8, True)]


def test_the_default_logs_dumps_and_advises(tmp_path, caplog):
    guard = AudioLossGuard(directory=tmp_path)
    fine_tune(guard, 10, {8})
    assert [taken.action for taken in guard.taken[:3]] == ["log", "dump", "advise"]
    record = next(each for each in caplog.records if "non-finite-loss" in each.message)
    assert (record.name, record.levelno) == ("audioloss", logging.ERROR)
    assert "all-masked" in record.message
    assert not guard.should_stop
    report = json.loads((tmp_path / "step-8-non-finite-loss.json").read_text())
    assert (report["schema"], report["alert"]["step"]) == ("audioloss.batch/1", 8)


def test_the_model_runs_at_an_alert_unless_it_must_not(tmp_path, caplog):
    for forward in (True, False):
        guard = AudioLossGuard(directory=tmp_path, model=loops.model(), forward=forward)
        ran = []
        guard.examiner.model.register_forward_hook(lambda *_, ran=ran: ran.append(True))
        guard.step(math.nan, batch=loops.sample(1, masked=True))
        assert bool(ran) is forward
        assert any("all-masked" in taken.outcome for taken in guard.taken)
    assert "the logits were not examined: forward is False" in caplog.text


@pytest.mark.parametrize("shown", ["always", "at the alert"])
@pytest.mark.parametrize("first_batches", [0, 1])
def test_an_alert_is_examined_whatever_was_looked_at_before(tmp_path, caplog, shown, first_batches):
    guard = AudioLossGuard(directory=tmp_path, model=loops.model(), first_batches=first_batches)
    for step in range(4):
        guard.step(5.0 + 0.01 * step, batch=loops.sample(step) if shown == "always" else None)
    guard.step(math.nan, batch=loops.sample(4, masked=True))
    assert "all-masked" in guard.taken[-1].outcome
    assert "no batch was shown" not in caplog.text


def test_a_sum_over_codebooks_is_one_whatever_is_looked_at(tmp_path):
    """The layout of the family says so."""
    net, batch = loops.model(), loops.sample(1)
    guards = [AudioLossGuard(directory=tmp_path, model=net, first_batches=count) for count in (0, 3)]
    for guard in guards:
        guard.step(outputs=net(**batch), batch=batch)
    zero, three = (guard.monitor.diagnostics()["current"] for guard in guards)
    assert zero == three == pytest.approx(math.log(1026), rel=0.1)


def test_a_batch_of_another_family_at_an_alert_is_named(tmp_path, caplog):
    guard = AudioLossGuard(directory=tmp_path, first_batches=0)
    guard.step(5.0)
    guard.step(math.nan, batch={"pixels": torch.zeros(2)})
    assert "no model family is known for a batch of pixels" in caplog.text


def test_a_warning_is_logged_as_one(tmp_path, caplog):
    guard = AudioLossGuard(directory=tmp_path, adaptive=False)
    for value in [5.0] * 3 + [0.008]:
        guard.step(value)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2  # the record and the advice
    assert "no batch was shown" in caplog.text


def test_raising_comes_after_all_other_actions(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=Policy(critical=("raise-error", "dump", "stop")))
    with pytest.raises(AudioLossError) as raised:
        fine_tune(guard, 10, {4})
    assert raised.value.alert.step == 4
    assert [taken.action for taken in guard.taken] == ["raise-error", "dump", "stop"]
    assert guard.should_stop


def test_an_action_that_fails_ends_no_training(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    guard = AudioLossGuard(directory=blocked, policy=Policy(critical=("dump", "rollback", "checkpoint", "lower-lr")))
    guard.step(float("nan"))
    assert [taken.done for taken in guard.taken] == [False] * 4
    assert "no checkpoint is known" in guard.taken[1].outcome
    assert "give model=" in guard.taken[2].outcome
    assert "give optimizer=" in guard.taken[3].outcome
    assert "alerts do not go to jsonl any more" in caplog.text


def test_what_is_wrong_with_the_first_batch_is_an_alert(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    net = loops.model()
    guard.examiner.model = net
    batch = loops.sample(1)
    clean = {name: batch[name] for name in ("input_ids", "attention_mask")}
    (alert, *_) = guard.step(5.0, batch=clean, original=batch)
    assert (alert.code, alert.step, alert.edge) == ("dropped-by-trainer", 1, "fired")
    assert "audio_input_ids" in alert.message
    assert guard.should_stop


def test_values_of_a_batch_are_judged_only_with_the_models_configuration(tmp_path):
    """The ids of a tiny model are not those that were published."""
    guard = AudioLossGuard(directory=tmp_path)
    assert guard.step(5.0, batch=loops.sample(1)) == []


def test_a_loop_of_another_family_is_told_once_that_its_batches_are_not_examined(tmp_path, caplog):
    guard = AudioLossGuard(directory=tmp_path)
    for _ in range(5):
        guard.step(5.0 + torch.rand(()), batch={"pixels": torch.zeros(2)})
    assert [record.message for record in caplog.records] == [
        "batches are not examined: no model family is known for a batch of pixels; give adapter=, or model= with a "
        "configuration"
    ]


@pytest.mark.parametrize(
    ("outputs", "current"),
    [
        ({"audio_loss": torch.tensor(4.0), "loss": torch.tensor(6.0)}, 4.0),
        ({"codebook_losses": torch.tensor([3.0, 5.0]), "loss": torch.tensor(6.0)}, 4.0),
        ({"codebook_losses": [torch.tensor(3.0), torch.tensor(5.0)]}, 4.0),
        ({"loss": torch.tensor(6.0)}, 6.0),
        (None, 7.0),
    ],
)
def test_which_loss_is_watched(tmp_path, outputs, current):
    guard = AudioLossGuard(directory=tmp_path)
    guard.step(None if outputs else 7.0, outputs=outputs)
    assert guard.monitor.diagnostics()["current"] == current


def test_one_codebook_that_collapses_is_seen_though_the_mean_is_fine(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    noise = torch.Generator().manual_seed(0)
    for step in range(1, 61):
        losses = 5 + 0.1 * torch.rand(8, generator=noise)
        losses[3] = 0.002 if step >= 40 else losses[3]
        guard.step(outputs={"codebook_losses": losses, "loss": losses.sum()})
        if guard.should_stop:
            break
    assert (guard.taken[0].series, guard.taken[0].step) == ("codebook/3", 40)


def test_codebooks_are_watched_one_by_one_though_the_first_has_none(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    for step in range(1, 61):
        each = [None, *[5.0 + 0.01 * ((step + book) % 7) for book in range(1, 8)]]
        each[3] = 0.002 if step >= 40 else each[3]
        guard.step(outputs={"codebook_losses": each})
        if guard.should_stop:
            break
    assert (guard.taken[0].series, guard.taken[0].step) == ("codebook/3", 40)


def test_micro_batches_are_one_step(tmp_path):
    guard = AudioLossGuard(directory=tmp_path)
    for index in range(12):
        guard.step(torch.tensor(float(index % 4)) + 3, sync_gradients=index % 4 == 3)
    assert guard.monitor.diagnostics()["points"] == 3
    assert guard.monitor.diagnostics()["current"] == 4.5


def test_the_audio_loss_next_to_the_total(tmp_path):
    """The total holds the text loss alone."""
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    for step in range(30):
        text = torch.tensor(2.0 + 0.01 * (step % 7))
        guard.step(outputs={"audio_loss": torch.tensor(5.0 + 0.01 * (step % 5)), "text_loss": text, "loss": text})
    assert {taken.alert for taken in guard.taken} == {"total-mismatch"}


def test_a_gradient_norm_that_is_nan_unmasks_a_zero(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    for step in range(10):
        guard.step(5.0 + 0.01 * (step % 3), grad_norm=torch.tensor(1.0))
    (alert,) = guard.step(0.0, grad_norm=torch.tensor(float("nan")))
    assert alert.code == "masked-nan"


@given(
    values=st.lists(st.one_of(st.floats(1, 8), st.sampled_from([math.nan, 0.0, 0.004, 3.0, 3.0])), max_size=120),
    deferred=st.booleans(),
)
def test_it_comes_to_the_alerts_of_the_monitor(values, deferred):
    """However late they are read."""
    silent = Policy(critical=(), warning=())
    guard = AudioLossGuard(jsonl=False, policy=silent, deferred=deferred)
    monitor = AudioLossMonitor()
    told, expected = [], []
    for step, value in enumerate(values, 1):
        told += guard.step(value)
        expected += monitor.update(value, step)
    told += guard.flush()
    assert [(each.code, each.step, each.edge) for each in told] == [(e.code, e.step, e.edge) for e in expected]
    found = [
        [(each.id, each.points, each.timeline and each.timeline[-1].edge) for each in one.incidents]
        for one in (guard.monitor, monitor)
    ]
    assert found[0] == found[1]


def test_the_state_goes_on_where_it_was_taken(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=STOP)
    for step in range(20):
        guard.step(5.0 + 0.01 * (step % 3))
    guard.step(float("nan"))
    state = json.loads(json.dumps(guard.state_dict()))
    again = AudioLossGuard(directory=tmp_path, policy=STOP)
    again.load_state_dict(state)
    assert again.monitor.incidents[0].id == guard.monitor.incidents[0].id
    assert [taken.to_state() for taken in again.taken] == [taken.to_state() for taken in guard.taken]
    again.step(5.0)
    assert again.taken[0].recovered is True
    assert again.monitor.diagnostics()["last_step"] == 22
    with pytest.raises(ValueError, match="version 9"):
        again.load_state_dict({**state, "version": 9})


@pytest.mark.parametrize("form", ["loss", "outputs", "codebooks", "recomputed"])
def test_nothing_waits_for_a_device(tmp_path, form):
    """On the CPU nothing waits, but the operations that would are counted all the same."""
    guard = AudioLossGuard(directory=tmp_path, deferred=True, first_batches=2)
    net = loops.tiny.model(use_text_head=True, **loops.SMALL).train()
    batch = loops.sample(1)
    guard.examiner.model = net
    loss = torch.rand(())
    outputs = {
        "loss": None,
        "outputs": {"audio_loss": loss, "llm_loss": loss, "loss": 2 * loss},
        "codebooks": {"codebook_losses": list((5 + torch.rand(8)).unbind()), "loss": loss},
        "recomputed": net(**batch, labels=batch["input_ids"]),
    }[form]
    batch = {**batch, "labels": batch["input_ids"]}
    for _ in range(3):
        guard.step(5 + torch.rand(()) if form == "loss" else None, batch=batch, outputs=outputs)
    with Waits() as counted:
        for _ in range(5):
            guard.step(5 + torch.rand(()) if form == "loss" else None, batch=batch, outputs=outputs)
    assert counted.seen == []
    assert guard.monitor.diagnostics()["points"] == (4 if form == "recomputed" else 8)


def test_a_loss_that_holds_text_is_taken_apart_now_and_then(tmp_path):
    """And whenever it is not finite: then no part of it is known."""
    guard = AudioLossGuard(directory=tmp_path, policy=STOP, first_batches=1)
    net = loops.tiny.model(use_text_head=True, **loops.SMALL)
    guard.examiner.model = net
    for step in range(1, 31):
        batch = loops.sample(1, masked=step == 25)
        batch["labels"] = batch["input_ids"]
        guard.step(batch=batch, outputs=net(**batch))
    assert 4 <= guard.monitor.diagnostics()["points"] < 15
    assert [taken.step for taken in guard.taken] == [25]
    assert guard.monitor.diagnostics()["max"] == pytest.approx(6.93, abs=0.1)


def test_the_structure_of_a_batch_is_looked_at_without_reading_a_value():
    """What is done on the first batches where they lie on a device."""
    examiner = Examiner()
    examiner.model = loops.model()
    batch = loops.sample(1)
    fed = MicroBatch({**batch, "audio_labels": batch["audio_labels"].float()}, {**batch, "reward": torch.zeros(1)})
    examiner.choose(fed)
    with Waits() as counted:
        outcomes = check_inputs(examiner.adapter, fed, STRUCTURAL)
    assert counted.seen == []
    assert [finding.code for outcome in outcomes for finding in outcome.findings] == [
        "dropped-by-trainer",
        "wrong-dtype",
    ]


def test_the_counting_counts():
    with Waits() as counted:
        torch.rand(()).item()
        torch.rand(3)[torch.tensor([True, False, True])]
    assert counted.seen == ["_local_scalar_dense", "index"]
