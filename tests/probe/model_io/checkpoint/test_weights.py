"""Faults of weights at rest."""

import pytest
import torch

from audioloss_cli.probe.model_io.checkpoint import WeightFault, weight_faults

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ([1.0, 2.0, 3.0], []),
        ([1.0, NAN, NAN], [WeightFault("w", "NaN", 2)]),
        ([1.0, INF, -INF], [WeightFault("w", "infinite", 2)]),
        ([-INF, -INF, 2.0], [WeightFault("w", "infinite", 2)]),
        ([NAN, INF, 0.0], [WeightFault("w", "NaN", 1), WeightFault("w", "infinite", 1)]),
        ([0.0, -0.0, 0.0], [WeightFault("w", "all zero", 3)]),
        ([0.5, 0.5], [WeightFault("w", "constant", 2)]),
        ([0.5], []),
        ([0.0], [WeightFault("w", "all zero", 1)]),
        ([], []),
    ],
)
def test_faults(dtype: torch.dtype, values: list[float], faults: list[WeightFault]) -> None:
    assert weight_faults([("w", torch.tensor(values, dtype=dtype))]) == faults


def test_small_floats_and_what_is_none() -> None:
    zero = torch.zeros(4).to(torch.float8_e4m3fn)
    others = [("ids", torch.zeros(4, dtype=torch.long)), ("meta", torch.zeros(4, device="meta"))]
    assert weight_faults([("f8", zero), *others]) == [WeightFault("f8", "all zero", 4)]


def test_views_and_parameters() -> None:
    table = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    found = weight_faults([("column", table[:, 1]), ("table", torch.nn.Parameter(table))])
    assert found == [WeightFault("column", "all zero", 2)]
