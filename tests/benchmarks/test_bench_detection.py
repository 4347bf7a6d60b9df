"""The counting of the benchmark, on hand-made outcomes, and each peer on a curve that it must or must not remark."""

import json
import math

import numpy as np
import pytest

from audioloss_cli.model import Series
from tests.benchmarks import bench_detection
from tests.benchmarks.detection import corpus, tables
from tests.benchmarks.detection.alarm import Alarm, losses, merged
from tests.benchmarks.detection.detectors import NAMES, lacking, make
from tests.benchmarks.detection.figures import delay_of, detections, false_alarms
from tests.benchmarks.detection.trials import SPLITS, Outcome, grid, seeds, trials
from tests.benchmarks.peers import PEERS
from tests.simulator import FAMILIES


def outcome(*steps, onset=None, before_001=None, faults=("log-drop",), code="log-drop", points=100):
    alarms = tuple(Alarm(step, "loss", code) for step in steps)
    return Outcome("ours", "sudden", 0, 1, 0.05, points, alarms, faults, onset, before_001)


def healthy(*steps, points=100):
    return outcome(*steps, faults=(), points=points)


def at(*steps, tag="loss"):
    return [Alarm(step, tag) for step in steps]


@pytest.mark.parametrize(
    ("steps", "cadence", "kept"),
    [
        ((), 1, ()),
        ((5,), 1, (5,)),
        ((5, 104), 1, (5,)),
        ((5, 105), 1, (5, 105)),
        ((0, 60, 120, 180), 1, (0,)),  # a chain: each is near the one before it
        ((180, 0, 60), 10, (0, 180)),
        ((0, 500, 1000, 2000), 500, (0, 2000)),  # neighbours in a sparse log
    ],
)
def test_near_alarms_are_one(steps, cadence, kept):
    assert [alarm.step for alarm in merged(at(*steps), cadence)] == list(kept)


def test_series_are_merged_by_themselves():
    assert len(merged([*at(0, 50, tag="a"), *at(10, 60, tag="b")], 1)) == 2


@pytest.mark.parametrize(
    ("steps", "onset", "kept"),
    [
        ((90, 104, 105), 100, (90, 104)),  # a false alarm shortly before the failure, then the right one
        ((98, 99, 100, 101), 100, (98,)),  # it has been said all along
        ((90, 110, 120), 200, (90,)),
    ],
)
def test_the_onset_ends_a_stretch_that_does_not_stand(steps, onset, kept):
    assert [alarm.step for alarm in merged(at(*steps), 1, onset)] == list(kept)


def test_false_alarms_are_counted_on_healthy_runs_alone():
    found = false_alarms([healthy(3, 7, points=1000), healthy(points=3000), outcome(5, onset=1, points=10**9)])
    assert found == (2, 4000, 2, 1)
    assert found.per_million == 500
    assert math.isnan(false_alarms([outcome(5, onset=1)]).per_million)


def test_a_detection_is_at_or_after_the_onset():
    assert delay_of(outcome(50, onset=50)) == 0
    assert delay_of(outcome(70, 90, onset=50)) == 20
    assert delay_of(outcome(49, onset=50)) is None
    assert delay_of(outcome(49, 60, onset=50)) == 10
    assert delay_of(outcome(49, onset=None)) is None


def test_misses_delays_and_early_alarms():
    found = detections([outcome(60, onset=50), outcome(90, onset=50), outcome(49, onset=50), outcome(onset=50)])
    assert (found.seen, found.unseen, found.missed, found.delay, found.early) == (4, 0, 2, 25, 1)


def test_what_shows_nowhere_is_left_out():
    found = detections([outcome(onset=None), outcome(3, onset=None), healthy(3), outcome(9, onset=5)])
    assert (found.seen, found.unseen, found.missed, found.early) == (1, 2, 0, 0)
    assert math.isnan(detections([outcome(onset=5)]).delay)


def test_a_right_code_counts_at_or_after_the_onset():
    right, wrong, soon = outcome(9, onset=5), outcome(9, onset=5, code="frozen-loss"), outcome(4, onset=5)
    assert detections([right, wrong, soon]).right == 1


def test_a_warning_comes_before_0_01():
    runs = [outcome(step, onset=50, before_001=80) for step in (49, 50, 79, 80)]
    nowhere_to_warn = [outcome(90, onset=90, before_001=80), outcome(60, onset=50)]
    found = detections([*runs, *nowhere_to_warn])
    assert (found.warnable, found.warned) == (4, 2)


def test_the_splits_share_no_seed():
    every = [seed for split in SPLITS for seed in seeds(split, 10_000)]
    assert len(set(every)) == len(every)
    assert set(SPLITS) == {"tune", "report", "fresh", "unseen", "confirm"}


def test_trials_judge_every_run_with_every_detector():
    runs = grid(["sudden", "plateau"], [0, 1], [10], [0.05])
    found = list(trials(runs, ["plain", "olmo"]))
    assert len(found) == 8
    assert {(o.detector, o.family) for o in found} == {(d, f) for d in ("plain", "olmo") for f in ("sudden", "plateau")}
    assert all(o.points == 600 for o in found)
    assert all(bool(o.alarms) == (o.family == "sudden") for o in found if o.detector == "plain")
    assert [o.alarms for o in found] == [o.alarms for o in trials(runs, ["plain", "olmo"])]


def test_only_losses_are_watched():
    run = [Series(tag) for tag in ("train/loss", "grad_norm", "codebook_0_loss", "epoch")]
    watched, beside = losses(run)
    assert [item.tag for item in watched] == ["train/loss", "codebook_0_loss"]
    assert [item.tag for item in beside] == ["grad_norm", "epoch"]


def test_tables_hold_the_figures():
    outcomes = [outcome(60, onset=50), outcome(onset=50), healthy(3, points=1000)]
    assert tables.missed_and_delay(outcomes) == "50 % 10"
    assert tables.missed_and_delay([outcome(onset=50)]) == "100 %"
    assert tables.alarms_per_million(outcomes) == "1000.0"
    assert tables.right_code(outcomes) == "50 %"
    assert tables.warned(outcomes) == ""
    assert len(list(tables.listed(outcomes))) == 2
    assert tables.summary(outcomes, ["ours"]).splitlines()[-1].split(" | ")[:2] == ["| ours    ", "1           "]


def wave(level=4.0, points=400):
    rng = np.random.default_rng(1)
    return level * np.exp(0.05 * rng.standard_normal(points))


def series(values):
    return Series("train/loss", np.arange(len(values), dtype=np.int64), np.asarray(values, dtype=np.float64))


def raised(values, factor, since=250):
    return np.r_[values[:since], values[since:] * factor]


# factor at point 250 that each must remark; none may remark the wave without it
REMARKED = {
    "plain": 0.001,
    "olmo": 3.0,
    "olmo-mirrored": 0.01,
    "llm-foundry": 3.0,
    "page-hinkley": 0.001,
    "adwin": 0.001,
    "losslint": 30.0,
    "trainspotter": 3.0,
    "trainspotter-info": 3.0,
}


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_remarks_what_it_is_made_for(name):
    if lacking([name]):
        pytest.skip(lacking([name])[name])
    detector = make(name)
    quiet = detector.alarms([series(wave())])
    assert quiet == [] or "trainspotter" in name  # its robust z-score remarks plain noise
    found = detector.alarms([series(raised(wave(), REMARKED[name]))])
    assert any(alarm.step >= 250 for alarm in found if alarm not in quiet)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", ["null_for_good", "nan_for_good", "diverges_to_nan", "policy_loss"])
def test_no_detector_stumbles_over_what_is_no_number(name, family):
    if lacking([name]):
        pytest.skip(lacking([name])[name])
    assert len(list(trials([(family, 1, 100, 0.05)], [name]))) == 1


def test_it_prints_its_tables(capsys):
    bench_detection.main(
        [
            "--quick",
            "--sections",
            "simulator",
            "--detectors",
            "plain",
            "--families",
            "sudden",
            "over_500_steps",
            "plateau",
        ]
    )
    printed = capsys.readouterr().out
    assert "9 simulated runs, split tune" in printed
    assert "| over_500_steps" in printed
    assert all(name in FAMILIES for name in ("sudden", "plateau"))


def test_healthy_real_logs_are_scanned(tmp_path):
    rows = [{"step": step, "loss": 4.0} for step in range(1, 30)] + [{"step": 30, "loss": 0.001}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": rows}))
    (tmp_path / "manifest.tsv").write_text(
        "id\tkind\tlabel\tfile\na1\ttrainer_state\thealthy_low\ttrainer_state.json\n"
        "a2\ttrainer_state\tnan@3\tnone.json\na3\tcsv\thealthy\tnone.csv\n"
    )
    lines = list(corpus.section(["plain"], tmp_path))
    assert lines[0] == "30 points in the audited series of 1 healthy files"
    assert lines[-1] == "false   plain: a1: critical-loss on loss at step 30"
    assert list(corpus.section(["plain"], tmp_path / "nowhere")) == [
        "no corpus of real logs here: set AUDIOLOSS_CORPUS"
    ]
