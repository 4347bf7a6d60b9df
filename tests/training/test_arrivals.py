"""The queue of scalars that are read late."""

import math

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy
from audioloss_cli.training.transport.arrivals import AsyncScalars
from tests.training.far import Far, far, install


def test_rows_keep_their_step_their_order_and_their_names():
    late = AsyncScalars()
    for step in range(200):
        late.put(step, {"audio": torch.tensor(step / 3), "codebook/2": 0.1, **({"text": 1.5} if step % 2 else {})})
        if step % 50 == 49:
            rows = list(late.ready())
            assert [row.step for row in rows] == list(range(step - 49, step + 1))
            assert rows[0].values == {"audio": float(torch.tensor((step - 49) / 3)), "codebook/2": 0.1}
            assert rows[1].values["text"] == 1.5
    assert late.waiting == 0


def test_a_nan_comes_through():
    late = AsyncScalars()
    late.put(3, {"audio": torch.tensor(math.nan), "grad_norm": torch.tensor(math.inf)})
    (row,) = late.ready(flush=True)
    assert math.isnan(row.values["audio"])
    assert row.values["grad_norm"] == math.inf


def test_half_precision_and_gradients():
    late = AsyncScalars()
    late.put(1, {"audio": torch.tensor(2.5, dtype=torch.bfloat16), "total": torch.tensor([3.0], requires_grad=True)})
    assert next(iter(late.ready())).values == {"audio": 2.5, "total": 3.0}


def test_codebooks_travel_in_one_copy_and_arrive_by_name():
    late = AsyncScalars()
    late.put(1, {"codebooks": torch.tensor([3.0, 5.0], requires_grad=True).bfloat16(), "audio": torch.tensor(4.0)})
    assert next(iter(late.ready())).values == {"codebook/0": 3.0, "codebook/1": 5.0, "audio": 4.0}


def arrived(late, **how):
    return [(row.step, row.values) for row in late.ready(**how)]


@pytest.mark.parametrize("first", ["cuda:0", "cuda:1"])
def test_a_row_waits_for_each_device_that_it_comes_from(monkeypatch, first):
    """A model that is spread over two: each copy is over when its own device says so."""
    install(monkeypatch)
    late = AsyncScalars()
    late.put(1, {"audio": far(5.0, "cuda:1"), "total": far(7.0, "cuda:0"), "text": 2.0})
    late.put(2, {"audio": far(6.0, "cuda:1")})
    assert arrived(late) == []
    Far.queues.pop(torch.device(first)).run()
    assert arrived(late) == []  # the other loss is still under way
    Far.queues.popitem()[1].run()
    assert arrived(late) == [(1, {"audio": 5.0, "total": 7.0, "text": 2.0}), (2, {"audio": 6.0})]
    assert Far.waits == []


def test_a_flush_waits_for_all_devices(monkeypatch):
    install(monkeypatch)
    late = AsyncScalars()
    for step in range(100):  # more than there are rows
        late.put(step, {"audio": far(float(step), "cuda:1"), "total": far(-float(step), "cuda:0")})
        (*early,) = arrived(late)
        assert [number for number, _ in early] == ([step - 63] if step >= 63 else [])
    rows = arrived(late, flush=True)
    assert rows == [(step, {"audio": float(step), "total": -float(step)}) for step in range(37, 100)]


def test_a_device_that_is_seen_after_a_float_is_waited_for_and_has_pinned_rows(monkeypatch):
    rows = install(monkeypatch)
    late = AsyncScalars()
    late.put(1, {"audio": 5.0})
    late.put(2, {"audio": far(6.0)})
    late.put(3, {"audio": 7.0, "grad_norm": torch.tensor(1.0)})
    assert arrived(late) == [(1, {"audio": 5.0})]  # in order: the third waits for the second
    Far.queues[torch.device("cuda:0")].run()
    assert arrived(late) == [(2, {"audio": 6.0}), (3, {"audio": 7.0, "grad_norm": 1.0})]
    assert rows == [(torch.float64, False), (torch.float64, True)]


def test_a_guard_that_defers_from_the_start_may_see_its_device_late(monkeypatch):
    rows = install(monkeypatch)
    guard = AudioLossGuard(deferred=True, jsonl=False, policy=Policy(critical=(), warning=()))
    guard.step(5.0)
    for step in range(3):
        guard.step(far(5.5 + step))
    assert guard.monitor.diagnostics()["points"] == 1
    guard.flush()
    assert guard.monitor.diagnostics()["current"] == 7.5
    assert (Far.waits, rows[-1]) == ([], (torch.float64, True))


def test_a_device_without_float64(monkeypatch):
    rows = install(monkeypatch)
    late = AsyncScalars()
    late.put(1, {"audio": far(6.0, "mps:0")})
    assert arrived(late, flush=True) == [(1, {"audio": 6.0})]
    assert rows == [(torch.float32, False)]


def test_a_default_device_is_not_where_numbers_arrive():
    late = AsyncScalars()
    with torch.device("meta"):  # as torch.set_default_device has it
        late.put(1, {"audio": 5.0})
        assert arrived(late) == [(1, {"audio": 5.0})]
