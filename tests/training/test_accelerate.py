"""The guard in a loop of Accelerate: accumulation, and its own way of saving."""

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from audioloss_cli.training import AudioLossGuard, Policy
from tests.training import loops


@pytest.fixture(autouse=True)
def _afresh():
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()
    yield
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()


def fine_tune(directory, samples, resume=None):
    """Two micro-batches a step."""
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = loops.model()
    loader = torch.utils.data.DataLoader(samples, batch_size=1)
    model, optimizer, loader = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=1e-3), loader)
    guard = AudioLossGuard(
        policy=Policy(critical=("dump", "stop")), model=model, optimizer=optimizer, directory=directory
    )
    accelerator.register_for_checkpointing(guard)
    if resume:
        accelerator.load_state(str(resume))
    for batch in loader:
        with accelerator.accumulate(model):
            outputs = model(**batch)
            accelerator.backward(outputs.loss)
            optimizer.step()
            optimizer.zero_grad()
        guard.step(outputs.loss, batch=batch, outputs=outputs, sync_gradients=accelerator.sync_gradients)
        if guard.should_stop:
            break
    guard.finish()
    accelerator.save_state(str(directory / "saved"))
    return guard


def test_steps_are_those_of_the_optimiser_and_the_state_goes_with_the_others(tmp_path):
    guard = fine_tune(tmp_path, loops.Samples(20, 9, masked=True))
    assert [(taken.action, taken.step) for taken in guard.taken] == [("dump", 5), ("stop", 5)]
    again = fine_tune(tmp_path / "again", loops.Samples(4), resume=tmp_path / "saved")
    (incident,) = again.monitor.incidents
    assert (incident.first_step, incident.resolved_step) == (5, 6)
    assert again.monitor.diagnostics()["points"] == 7
