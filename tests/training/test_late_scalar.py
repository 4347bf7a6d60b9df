"""The queue of scalars that are read late."""

import math

import torch

from audioloss_cli.training.late_scalar import LateScalars

CPU = torch.device("cpu")


def test_rows_keep_their_step_their_order_and_their_names():
    late = LateScalars(CPU)
    for step in range(200):
        late.put(step, {"audio": torch.tensor(step / 3), "codebook/2": 0.1, **({"text": 1.5} if step % 2 else {})})
        if step % 50 == 49:
            rows = list(late.ready())
            assert [row.step for row in rows] == list(range(step - 49, step + 1))
            assert rows[0].values == {"audio": float(torch.tensor((step - 49) / 3)), "codebook/2": 0.1}
            assert rows[1].values["text"] == 1.5
    assert late.waiting == 0


def test_a_nan_comes_through():
    late = LateScalars(CPU)
    late.put(3, {"audio": torch.tensor(math.nan), "grad_norm": torch.tensor(math.inf)})
    (row,) = late.ready(flush=True)
    assert math.isnan(row.values["audio"])
    assert row.values["grad_norm"] == math.inf


def test_half_precision_and_gradients():
    late = LateScalars(CPU)
    late.put(1, {"audio": torch.tensor(2.5, dtype=torch.bfloat16), "total": torch.tensor([3.0], requires_grad=True)})
    assert next(iter(late.ready())).values == {"audio": 2.5, "total": 3.0}


def test_codebooks_travel_in_one_copy_and_arrive_by_name():
    late = LateScalars(CPU)
    late.put(1, {"codebooks": torch.tensor([3.0, 5.0], requires_grad=True).bfloat16(), "audio": torch.tensor(4.0)})
    assert next(iter(late.ready())).values == {"codebook/0": 3.0, "codebook/1": 5.0, "audio": 4.0}
