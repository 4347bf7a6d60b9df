"""A monitor that is given tensors, and whose state torch keeps."""

import io
import json

import pytest
import torch

from audioloss_cli import AudioLossMonitor
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import plain_monitor


def test_the_customers_loop_works_as_written():
    monitor = plain_monitor(window_size=100, threshold=0.01, critical_threshold=0.005)
    errors = []
    for step, audio_loss in enumerate(torch.tensor([4.0, 0.004])):
        for alert in monitor.update(audio_loss.item(), step):
            if alert["type"] == "critical":
                errors.append(alert["message"])  # noqa: PERF401  # the customer's code
    assert errors == ["loss 0.004 at step 1 is below the critical threshold 0.005"]


@pytest.mark.parametrize("loss", [torch.tensor(0.004), torch.tensor(0.004, dtype=torch.bfloat16), torch.tensor(0)])
def test_a_loss_is_any_one_number(loss):
    assert [alert.type for alert in plain_monitor().update(loss, 1)] == ["critical"]


def test_a_loss_that_requires_a_gradient_is_read_without_a_warning():
    loss = (torch.tensor([0.004, 0.004], requires_grad=True) * 1.0).mean()
    (alert,) = AudioLossMonitor().update(loss, 1)
    assert alert.value == pytest.approx(0.004)
    assert loss.requires_grad


@pytest.mark.parametrize("loss", [torch.tensor([0.004]), torch.empty(0), torch.zeros(1, 1), torch.tensor(1j)])
def test_what_is_not_one_number_is_refused(loss):
    with pytest.raises(TypeError, match="loss must be one number, not"):
        AudioLossMonitor().update(loss, 8)


def test_a_step_and_a_wall_time_may_be_tensors():
    (alert,) = AudioLossMonitor().update(0.001, torch.tensor(1), torch.tensor(1.5))
    assert (type(alert.step), alert.step) == (int, 1)
    assert (type(alert.wall_time), alert.wall_time) == (float, 1.5)


def test_whatever_the_numbers_were_the_state_is_built_in():
    monitor = plain_monitor()
    monitor.update(torch.tensor(0.001), torch.tensor(1), torch.tensor(1.5))
    assert repr(json.loads(json.dumps(monitor.state_dict()))) == repr(monitor.state_dict())


def test_the_state_survives_a_checkpoint_that_allows_no_code():
    monitor = plain_monitor()
    feed(monitor, *steady(3.0, 0, 50), *steady(0.007, 51, 90))
    monitor.record_recovery_attempt(90, "none")
    file = io.BytesIO()
    torch.save({"monitor": monitor.state_dict()}, file)
    file.seek(0)
    resumed = plain_monitor()
    resumed.load_state_dict(torch.load(file, weights_only=True)["monitor"])
    assert repr(resumed.diagnostics()) == repr(monitor.diagnostics())
    assert (
        feed(resumed, *steady(0.007, 91, 150)) == feed(monitor, *steady(0.007, 91, 150)) == [(150, "sustained_warning")]
    )
