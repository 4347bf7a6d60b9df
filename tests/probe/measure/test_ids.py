"""Comparisons on the CPU say what torch's own would."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from audioloss_cli.probe.measure.ids import all_inside, equal, inside

IDS = st.integers(-(2**63), 2**63 - 1) | st.integers(-101, 1030)


@given(st.lists(IDS, min_size=1, max_size=12), st.sampled_from([1, 1024, 1026, 2**62, 2**63 - 1]))
def test_an_id_is_inside_if_it_is_neither_below_nought_nor_too_large(ids: list[int], end: int) -> None:
    wanted = [0 <= each < end for each in ids]
    assert inside(torch.tensor(ids), end).tolist() == wanted
    assert all_inside(torch.tensor(ids), end) is all(wanted)


@given(st.lists(IDS, max_size=12), IDS)
def test_an_id_is_equal_to_itself_alone(ids: list[int], value: int) -> None:
    assert equal(torch.tensor(ids, dtype=torch.int64), value).tolist() == [each == value for each in ids]


@pytest.mark.parametrize(
    "rows",
    [
        torch.tensor([[0, 5, -100], [7, 1025, 1026]]).T,
        torch.tensor([[0, 5, -100], [7, 1025, 1026]], dtype=torch.int32),
        torch.zeros(0, 8, dtype=torch.int64),
        torch.tensor(5),
    ],
    ids=["transposed", "int32", "empty", "a number"],
)
def test_any_form_will_do(rows: Tensor) -> None:
    assert torch.equal(inside(rows, 1026), (rows >= 0) & (rows < 1026))
    assert torch.equal(equal(rows, 5), rows == 5)


def test_nothing_is_inside_of_nothing() -> None:
    assert inside(torch.tensor([0, 1]), 0).tolist() == [False, False]
