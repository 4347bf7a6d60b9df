"""Which column is the step, and what a row without one gets."""

import pytest

from tests.event_files import read


def steps(path, tag: str = "loss") -> list[int]:
    series, defects = read(path, "jsonl")
    assert defects == []
    assert series[tag].step_source == "step"
    return list(series[tag].steps)


def test_the_step_of_a_total(jsonl):
    """As ms-swift writes it."""
    rows = ({"loss": 1.0, "global_step/max_steps": f"{step}/94", "percentage": f"{step}.00%"} for step in (51, 52))
    path = jsonl(*rows)
    assert steps(path) == [51, 52]
    assert list(read(path, "jsonl")[0]["percentage"].values) == [51, 52]


@pytest.mark.parametrize("key", ["Step", "STEP", "Global_Step", "Trainer/global_step"])
def test_capitals_do_not_matter(key, jsonl):
    path = jsonl(*({key: step, "loss": 1.0} for step in (10, 20)))
    assert steps(path) == [10, 20]
    assert set(read(path, "jsonl")[0]) == {"loss"}


def test_of_two_spellings_the_first_is_the_step(jsonl):
    assert steps(jsonl({"Step": 10, "step": 1, "loss": 1.0}, {"Step": 20, "step": 2, "loss": 1.0})) == [10, 20]


@pytest.mark.parametrize("key", ["cur_step", "curr_step", "current_step", "optimizer_step", "n_iter", "Global Step"])
@pytest.mark.parametrize("spell", [lambda step: step, str, lambda step: f"{step:,}", lambda step: step + 0.0])
def test_every_spelling_of_a_step(key, spell, jsonl):
    found = read(jsonl(*({key: spell(step), "loss": 1.0} for step in (900, 1200, 1_234_500))), "jsonl")
    assert (found[1], found[0]["loss"].step_source) == ([], "step")
    assert list(found[0]["loss"].steps) == [900, 1200, 1_234_500]


def test_a_nested_step(jsonl):
    assert steps(jsonl(*({"trainer": {"global_step": step}, "loss": 1.0} for step in (10, 20)))) == [10, 20]


def test_a_step_that_is_a_duration_is_a_series(jsonl):
    path = jsonl(*({"step": 0.53 + turn, "iter": turn, "loss": 1.0} for turn in range(20)))
    assert steps(path) == list(range(20))
    assert steps(path, "step") == list(range(20))


def test_a_step_that_is_a_duration_is_no_step_either_where_there_is_no_other(jsonl):
    series, defects = read(jsonl({"step": 0.53, "loss": 1.0}, {"step": 0.48, "loss": 1.0}), "jsonl")
    assert defects == []
    assert (series["loss"].step_source, list(series["loss"].steps)) == ("line", [1, 2])
    assert list(series["step"].values) == [0.53, 0.48]


@pytest.mark.parametrize("rising", ["global_step", "iteration", "trainer/global_step"])
def test_the_step_that_never_goes_back_wins(rising, jsonl):
    """One of them starts anew in each epoch."""
    path = jsonl(*({"step": turn % 5, rising: turn, "loss": 1.0} for turn in range(10)))
    assert steps(path) == list(range(10))
    assert list(read(path, "jsonl")[0]["step"].values) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_the_first_name_wins_where_all_go_back(jsonl):
    path = jsonl(*({"iter": turn % 5, "step": 10 + turn % 5, "loss": 1.0} for turn in range(10)))
    assert steps(path) == [10, 11, 12, 13, 14, 10, 11, 12, 13, 14]


def test_a_step_in_one_row_of_a_hundred_is_not_that_of_the_log(jsonl):
    path = jsonl({"step": 1000, "iter": 0}, *({"iter": turn, "loss": 1.0} for turn in range(1, 100)))
    assert steps(path) == list(range(1, 100))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (4.25, "step 4.25 is not a whole number"),
        (1e300, "step 1e+300 does not fit in 64 bits"),
        (-(2**64), "does not fit in 64 bits"),
        (10**400, "step inf does not fit in 64 bits"),
        (float("-inf"), "step -inf does not fit in 64 bits"),
    ],
)
def test_one_row_whose_step_is_none_keeps_the_steps_of_the_others(bad, message, jsonl):
    path = jsonl(*({"step": bad if turn == 7 else 10 * turn, "loss": float(turn)} for turn in range(20)))
    series, (defect,) = read(path, "jsonl")
    assert list(series["loss"].steps) == [60 if turn == 7 else 10 * turn for turn in range(20)]
    assert list(series["loss"].values) == list(range(20))
    assert (defect.kind, defect.line) == ("malformed", 8)
    assert message in defect.message
    assert "read as one of step 60" in defect.message


@pytest.mark.parametrize("none", [float("nan"), None, "soon", {}, True])
def test_a_row_without_a_step_is_no_defect(none, jsonl):
    assert steps(jsonl(*({"step": none if turn == 7 else turn, "loss": 1.0} for turn in range(20)))) == [
        *range(7),
        6,
        *range(8, 20),
    ]


@pytest.mark.parametrize("edge", [2**62, -(2**63), 0])
def test_the_steps_of_int64(edge, jsonl):
    assert steps(jsonl({"step": edge, "loss": 1.0})) == [edge]


def test_the_step_is_learnt_from_the_first_rows_and_holds_for_all(jsonl):
    rows = [{"epoch": 1, "loss": 1.0}] * 1000 + [{"epoch": 2, "step": 5, "loss": 1.0}]
    series, _ = read(jsonl(*rows), "jsonl")
    assert (series["loss"].step_source, series["loss"].steps[-1]) == ("epoch", 2)
    assert list(series["step"].values) == [5.0]
