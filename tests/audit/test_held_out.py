"""Held-out losses that are no numbers, beside a training loss that looks fine."""

import math

from audioloss_cli import ScanConfig, scan
from tests.wobble import wobbly


def rows(evaluations, **more):
    for step, value in enumerate(wobbly(2.5, 100)):
        yield {"step": step, "loss": value}
        if step % 20 == 19:
            yield {"step": step, "eval_loss": next(evaluations), **more}


def test_a_held_out_loss_that_is_nan_is_found_though_the_training_loss_is_audited(jsonl):
    (run,) = scan(jsonl(*rows(iter([2.4, math.nan, math.nan, math.nan, math.nan])))).runs
    assert [(item.tag, item.role) for item in run.series] == [("loss", "training"), ("eval_loss", "held-out")]
    (incident,) = run.series[1].incidents
    assert (incident.code, incident.first_step, incident.severity) == ("non-finite-loss", 39, "critical")


def test_one_that_is_a_number_is_not_listed(jsonl):
    (run,) = scan(jsonl(*rows(iter([2.4, 2.4, 0.004, 0.004, 2.4])))).runs
    assert [item.tag for item in run.series] == ["loss"]
    assert run.findings == []


def test_one_that_stays_near_zero_while_the_training_does_not_is_a_finding_of_the_run(jsonl):
    report = scan(jsonl(*rows(iter([0.4, 0.02, 0.004, 0.003, 0.002]))))
    (finding,) = report.runs[0].findings
    assert (finding.code, finding.severity, report.exit_code) == ("held-out-low", "warning", 1)
    assert finding.message.startswith("eval_loss is 0.002 at step 99, below 0.01 3 times in a row, while loss is")


def test_one_of_another_kind_says_nothing_about_it(jsonl):
    (run,) = scan(jsonl(*rows(iter([2.4] * 5), eval_text_loss=0.001, eval_kl_loss=0.001))).runs
    assert run.findings == []


def test_one_that_is_low_as_the_training_is_belongs_to_that_incident(jsonl):
    low = [{"step": step, "loss": 0.004, "eval_loss": 0.004} for step in range(100)]
    (run,) = scan(jsonl(*low)).runs
    assert run.findings == []


def test_who_names_tags_or_leaves_the_rule_out_is_told_nothing(jsonl):
    path = jsonl(*rows(iter([math.nan] * 5)))
    for config in (ScanConfig(tags=("loss",)), ScanConfig(ignore=("non-finite-loss",))):
        (run,) = scan(path, config).runs
        assert [item.tag for item in run.series] == ["loss"]
