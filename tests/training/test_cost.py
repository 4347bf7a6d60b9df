"""What a healthy step costs, in Python functions: between two steps of a training no code of theirs is in a cache."""

import pytest

from tests.benchmarks.bench_training import functions_a_step


@pytest.mark.parametrize(
    ("kind", "most"),
    [("loss, falling", 24), ("loss, batch, outputs, falling", 36), ("parts, falling", 44)],
)
def test_a_healthy_step_runs_through_few_functions(kind, most):
    assert functions_a_step(kind, steps=40) <= most
