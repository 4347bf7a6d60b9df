"""What a loop may give that nobody meant: it is named in one line, and ends no training."""

import math

import pytest
import torch

from audioloss_cli.training import ActionError, AudioLossGuard, Policy
from audioloss_cli.training.response.restore import load_weights
from tests.training import loops


@pytest.mark.parametrize("batch", [[torch.zeros(2)], torch.zeros(2, 2), "text"])
def test_a_batch_that_is_no_mapping_is_not_examined(tmp_path, caplog, batch):
    guard = AudioLossGuard(directory=tmp_path)
    for value in [5.0, 5.1, 5.2]:
        guard.step(value, batch=batch)
    (record,) = caplog.records
    assert f"must be a mapping of names to tensors, not a {type(batch).__name__}" in record.message
    (alert,) = guard.step(math.nan, batch=batch)
    assert alert.code == "non-finite-loss"


def test_a_batch_may_hold_strings_and_gaps(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, model=loops.model())
    batch = {**loops.sample(1), "text": ["a", "b"], "id": "x", "weights": None, "count": 3}
    for value in [5.0, 5.1, math.nan]:
        guard.step(value, batch=batch)
    assert [(taken.action, taken.done) for taken in guard.taken] == [("log", True), ("dump", True), ("advise", True)]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_loss_of_low_precision(tmp_path, dtype, deferred):
    guard = AudioLossGuard(directory=tmp_path, deferred=deferred)
    for step in range(40):
        guard.step(torch.tensor(5 + 0.1 * (step % 7), dtype=dtype))
    (alert,) = [*guard.step(torch.tensor(math.nan, dtype=dtype)), *guard.flush()]
    assert (alert.code, alert.step) == ("non-finite-loss", 41)


@pytest.mark.parametrize("wanted", [None, 3, "stop", ("rolback",), (1,)])
def test_a_policy_that_names_no_actions(wanted):
    with pytest.raises(ValueError, match=r"critical .*(must be a list of actions|is not one of advise, checkpoint)"):
        Policy(critical=wanted)


def test_a_factor_that_is_no_number(tmp_path):
    options = {"lower-lr": {"factor": "half"}}
    guard = AudioLossGuard(directory=tmp_path, policy=Policy(critical=("lower-lr",), options=options))
    guard.step(math.nan)
    assert [(taken.done, taken.outcome) for taken in guard.taken] == [
        (False, "factor must lie between 0 and 1, not 'half'")
    ]


def test_an_adapter_that_does_not_exist_is_named(tmp_path, caplog):
    guard = AudioLossGuard(directory=tmp_path, adapter="higs")
    guard.step(5.0, batch=loops.sample(1))
    (record,) = caplog.records
    assert "adapter='higs' is not one of " in record.message


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    guard = AudioLossGuard(directory=tmp_path / "file", model=loops.model())
    guard.step(5.0)
    with pytest.raises(ActionError, match=r"checkpoint-1.pt cannot be written: .*file"):
        guard.save_checkpoint()


def test_weights_of_another_model_are_not_restored(tmp_path):
    """Those names that fit would be loaded else, and a rollback would say that it was done."""
    torch.nn.Module.register_buffer(other := loops.model(), "more", torch.zeros(2))
    other.save_pretrained(tmp_path)
    with pytest.raises(ActionError, match="is of another model: this one has no more"):
        load_weights(loops.model(), tmp_path)


@pytest.mark.parametrize("odd", [torch.zeros(1, 3, dtype=torch.complex64), torch.zeros(1, 3, device="meta"), "x", []])
@pytest.mark.parametrize("name", ["input_ids", "audio_labels"])
def test_a_batch_that_no_check_foresaw_ends_no_training(tmp_path, name, odd):
    guard = AudioLossGuard(directory=tmp_path, model=loops.model(), policy=Policy(critical=("log", "advise")))
    for value in [5.0, 5.1, math.nan]:
        guard.step(value, batch={**loops.sample(1), name: odd})
    taken = [taken for taken in guard.taken if taken.alert == "non-finite-loss"]
    assert [(taken.action, taken.done) for taken in taken] == [("log", True), ("advise", True)]


ODD = [5.0, torch.tensor(5.0), torch.ones(8, 3), torch.ones(0), [torch.ones(3)] * 2, [1j] * 8, [], "x", 1j]
ODD += [torch.ones(count, dtype=torch.complex64) for count in (1, 8)]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", ["codebook_losses", "audio_loss"])
def test_a_loss_of_the_outputs_that_cannot_be_read_is_said_once(tmp_path, caplog, name, odd):
    guard = AudioLossGuard(directory=tmp_path, first_batches=0)
    for step in range(5):
        guard.step(outputs={"loss": torch.tensor(4.0 + step / 8), name: odd})
    assert guard.monitor.diagnostics()["points"] == 5
    if name == "codebook_losses":
        (record,) = caplog.records
        assert record.message.startswith("a loss cannot be read: codebook_losses must be one number for each codebook")
        assert guard.monitor.diagnostics()["current"] == 4.5


def test_outputs_that_raise_end_no_training(tmp_path, caplog):
    class Outputs:
        @property
        def audio_loss(self):
            raise RuntimeError("freed")

    guard = AudioLossGuard(directory=tmp_path)
    for _ in range(3):
        guard.step(outputs=Outputs())
    assert [record.message for record in caplog.records] == ["a loss cannot be read: RuntimeError: freed"]
