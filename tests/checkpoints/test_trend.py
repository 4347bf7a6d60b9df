"""What several checkpoints of one run say together."""

import math

import pytest

from audioloss_cli.checkpoints.trend import trend
from audioloss_cli.model import Severity
from audioloss_cli.model.checkpoint_report import CheckpointReport, ModuleSummary


def report(step, against="", /, **modules):
    """One checkpoint; of each module its norm, and how many of its 4 tensors are those of the one before."""
    found = [
        ModuleSummary(name, 4, 400, ("F32",), norm, math.nan if not against else (4 - same) / 4, same)
        for name, (norm, same) in modules.items()
    ]
    return CheckpointReport(f"run/checkpoint-{step}", step=step, tensors=4 * len(found), against=against, modules=found)


def run(*rows):
    """Checkpoints, each compared with the one before."""
    return [report((place + 1) * 100, "before" if place else "", **row) for place, row in enumerate(rows)]


HEALTHY = {"head": (10.0, 0), "layers": (50.0, 0)}


def test_a_healthy_run_is_silent():
    assert trend([]) == trend(run(HEALTHY)) == trend(run(*[HEALTHY] * 5)) == []


def test_two_neighbours_that_are_the_same():
    (finding,) = trend(run(HEALTHY, HEALTHY, {"head": (10.0, 4), "layers": (50.0, 4)}))
    assert (finding.code, finding.severity) == ("nothing-changed", Severity.CRITICAL)
    assert "run/checkpoint-300 (step 300) are bit by bit those of run/checkpoint-200 (step 200)" in finding.message
    assert finding.advice


def test_what_an_audit_has_told_is_not_told_again():
    reports = run(HEALTHY, {"head": (10.0, 4), "layers": (50.0, 4)})
    assert trend(reports, {(reports[1].path, "nothing-changed")}) == []
    assert len(trend(reports, {(reports[0].path, "nothing-changed")})) == 1


def test_a_module_that_stops():
    still = {"head": (10.0, 4), "layers": (50.0, 0)}
    (finding,) = trend(run(HEALTHY, HEALTHY, still, still))
    assert (finding.code, finding.severity) == ("stopped-module", Severity.WARNING)
    assert "head stopped changing at run/checkpoint-200 (step 200)" in finding.message
    assert finding.evidence == {"modules": ["head"], "since": "run/checkpoint-200", "step": 200}


@pytest.mark.parametrize("rows", [(4, 4, 4), (0, 4, 0), (0, 2, 2)], ids=str)
def test_a_module_that_was_always_frozen_goes_on_again_or_changes_in_part_has_not_stopped(rows):
    assert trend(run(HEALTHY, *({"head": (10.0, same), "layers": (50.0, 0)} for same in rows))) == []


def test_a_norm_that_explodes_is_told_once():
    rows = [{"head": (norm, 0), "layers": (50.0, 0)} for norm in (10.0, 12.0, 200.0, 5000.0)]
    (finding,) = trend(run(*rows))
    assert (finding.code, finding.severity) == ("exploded-weights", Severity.WARNING)
    assert "from run/checkpoint-200 (step 200) to run/checkpoint-300 (step 300)" in finding.message
    assert "head is 16.7 times as large" in finding.message


@pytest.mark.parametrize("norms", [(0.0, 5.0), (math.nan, 5.0), (5.0, math.nan), (5.0, math.inf)])
def test_a_norm_from_nothing_and_one_that_is_no_number_are_not_compared(norms):
    assert trend(run(*({"head": (norm, 0), "layers": (50.0, 0)} for norm in norms))) == []


def test_checkpoints_that_were_not_compared_are_judged_by_norms_alone():
    reports = [report(1, head=(10.0, 0)), report(2, head=(10.0, 0))]
    assert trend(reports) == []
