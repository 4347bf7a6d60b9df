"""What a loop may give that nobody meant: it is named in one line, and ends no training."""

import math

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy
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
