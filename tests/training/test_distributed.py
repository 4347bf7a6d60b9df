"""Two processes under DDP with gloo: each feeds, both act, rank 0 speaks."""

import json
import os
import subprocess
import sys

import pytest

from audioloss_cli.training.transport.ranks import describe
from tests.training.asked_ranks import STEPS
from tests.training.ranks import BROKEN, LONG, VANISHED
from tests.training.ranks import STEPS as STEPS_OF_ALL
from tests.training.sharded_ranks import REFUSED


def launched(directory, *names):
    """The runs of these names, or all of them: two processes that find each other by a file."""
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.ranks", str(directory), *names],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = []
    try:
        said = [each.communicate(timeout=300) for each in processes]
    finally:
        for each in processes:
            each.kill()
            each.wait()
    assert [each.returncode for each in processes] == [0, 0], "\n".join(errors[-3000:] for _, errors in said)
    return directory, said[0][1]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """All runs, made once."""
    return launched(tmp_path_factory.mktemp("ranks"))


def test_a_nan_on_one_rank_is_seen_by_both_in_a_plain_loop(tmp_path):
    seen_by_both(*launched(tmp_path, "plain"), "plain")


def seen_by_both(directory, said, kind):
    directory = directory / kind
    zero, one = found_by(directory)
    assert zero["incidents"] == one["incidents"] == [["non-finite-loss", BROKEN]]
    assert zero["stopped"] == one["stopped"] == BROKEN + 1  # read at the end of the next step
    assert zero["points"] == one["points"]
    for found in (zero, one):
        assert [(action, alert) for action, alert, *_ in found["taken"]] == [
            (action, "non-finite-loss") for action in ("log", "dump", "lower-lr", "stop")
        ]
    lowered = [outcome for found in (zero, one) for action, _, _, outcome in found["taken"] if action == "lower-lr"]
    assert lowered[0] == lowered[1]
    assert "not finite on rank 1 of 2" in said
    dumps = sorted(path.name for path in directory.rglob("step-*.json"))
    assert dumps == [f"step-{BROKEN}-non-finite-loss-rank1.json", f"step-{BROKEN}-non-finite-loss.json"]
    report = json.loads(next(directory.rglob("step-*rank1.json")).read_text())
    assert report["diagnoses"][0]["cause"] == "all-masked"


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["plain", "trainer"])
def test_a_nan_on_one_rank_is_seen_by_both(ranks, kind):
    seen_by_both(*ranks, kind)


@pytest.mark.exhaustive
def test_a_healthy_trainer_of_a_wrapper_is_silent_on_both(ranks):
    directory = ranks[0] / "higgs"
    zero, one = found_by(directory)
    assert zero == one
    assert (zero["taken"], zero["incidents"], zero["stopped"]) == ([], [], LONG)
    assert zero["points"] >= LONG // 2  # what is measured is known one step later
    assert not list(directory.rglob("alerts.jsonl"))
    lines = [json.loads(line) for line in (directory / "audioloss" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(5, LONG + 1, 5))  # by one rank
    assert all("learning/audio_grad_norm" in line for line in lines)


def found_by(directory):
    return [json.loads((directory / f"rank{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.exhaustive
def test_what_one_rank_finds_in_its_batch_stops_both(ranks):
    """At the step after, where the numbers of the first one arrive."""
    zero, one = found_by(ranks[0] / "inputs")
    assert zero["stopped"] == one["stopped"] == 2
    for found in (zero, one):
        stops = [alert for action, alert, *_ in found["taken"] if action == "stop"]
        assert stops == ["dropped-by-trainer", "missing-input"]
    assert "the batch of rank 1 of 2" in ranks[1]


@pytest.mark.exhaustive
def test_what_one_rank_finds_in_mid_run_stops_both(ranks):
    """By the third of three looks in a row, which arrives a step later; the dump is of its batch."""
    directory = ranks[0] / "later"
    for found in found_by(directory):
        assert found["stopped"] == BROKEN + 3
        assert ["low-valid-fraction", BROKEN + 3] in [[alert, step] for action, alert, step, _ in found["taken"]]
    dumps = {path.name for path in directory.rglob("step-*.json")}
    assert dumps == {f"step-{BROKEN + 2}-low-valid-fraction{rank}.json" for rank in ("", "-rank1")}


@pytest.mark.exhaustive
def test_audio_that_is_gone_is_missing_though_the_ranks_come_to_it_at_different_steps(ranks):
    zero, one = found_by(ranks[0] / "vanished")
    assert zero["incidents"] == one["incidents"]
    assert zero["stopped"] == one["stopped"]
    ((code, step),) = zero["incidents"]
    assert code == "missing-loss"
    assert VANISHED + 100 <= step <= VANISHED + 103


@pytest.mark.exhaustive
def test_an_error_leaves_the_loop_on_both_ranks_at_the_same_step(ranks):
    for found in found_by(ranks[0] / "raised"):
        assert (found["stopped"], found["incidents"]) == (BROKEN + 1, [["non-finite-loss", BROKEN]])
        assert [(action, step) for action, _, step, _ in found["taken"]] == [("raise-error", BROKEN + 1)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["asked", "kept", "saved"])
def test_a_rank_that_is_asked_alone_does_not_act_alone(ranks, kind):
    zero, one = found_by(ranks[0] / kind)
    assert zero == one
    assert [action for action, *_ in zero["taken"]] == ["stop"]
    assert zero["stopped"] == zero["taken"][0][2] < STEPS


@pytest.mark.exhaustive
def test_ranks_that_begin_with_different_kinds_of_losses_see_the_same(ranks):
    for found in found_by(ranks[0] / "uneven"):
        assert (found["points"], found["incidents"]) == (STEPS_OF_ALL, [["non-finite-loss", BROKEN]])


@pytest.mark.exhaustive
def test_a_trained_loss_that_one_rank_logs_stops_both(ranks):
    """It travels with the step after, and is read at the end of the one after that."""
    for found in found_by(ranks[0] / "apart"):
        assert [taken[:3] for taken in found["taken"]] == [["stop", "zero-loss", BROKEN + 3]]
        assert (found["stopped"], found["incidents"]) == (BROKEN + 3, [])  # that of the model has none


@pytest.mark.exhaustive
def test_a_sharded_model_is_watched_and_left_as_it_is(ranks):
    zero, one = found_by(ranks[0] / "sharded")
    assert zero["incidents"] == one["incidents"] == [["non-finite-loss", BROKEN]]
    assert zero["stopped"] == one["stopped"] == BROKEN + 1
    for found in (zero, one):
        assert [outcome for action, _, _, outcome in found["taken"] if action == "rollback"] == [REFUSED]


@pytest.mark.exhaustive
def test_a_loss_that_is_a_sum_over_the_ranks_is_read_whole(ranks):
    """By default the Trainer divides by the items of all ranks, and multiplies by their number after the model."""
    zero, one = (json.loads((ranks[0] / f"sums{rank}.json").read_text()) for rank in range(2))
    assert zero.pop("in parallel") == one.pop("in parallel") == [[1]]
    assert zero.pop("own") == one.pop("own") == [[3, pytest.approx(6.93, abs=0.2)]]
    for name, (watched, logged, series) in zero.items():
        assert series == one[name][2] == ["audio_loss"]  # what is logged is what was read
        assert watched == one[name][0] == pytest.approx([7.0] * 3, rel=1e-5), name
        assert logged == pytest.approx([7.0] * 3, rel=1e-4), name


@pytest.mark.parametrize(
    ("broken", "words"),
    [((), ""), ((3,), "not finite on rank 3 of 8"), ((-1, -1), "not finite on 2 ranks of 8")],
)
def test_which_ranks_are_broken_in_words(broken, words):
    assert describe(broken, 8) == words
