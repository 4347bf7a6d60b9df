"""Every incident of a run, whatever the run holds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import Limits, Series, registry
from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.causes import explain
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import MISSING
from audioloss_cli.model.series_report import AuditedSeries
from tests.causes.runs import falling, healthy, series

SLUGS = {registry.code_of(name) for name in registry.names("causes")}
ODD = st.sampled_from([0.0, 0.001, 0.001, 0.02, 4.0, 6.93, 55.5, -1.0, 1e300, math.nan, math.inf, -math.inf, MISSING])
TAGS = [
    "audio_loss",
    "codebook_0_loss",
    "codebook_1_loss",
    "eval/audio_loss",
    "text_loss",
    "loss",
    "grad_norm",
    "epoch",
]


def explained(run):
    return report_on("run", run, AuditSettings(ScanConfig()))


@given(st.lists(st.tuples(st.integers(-5, 400), st.lists(ODD, min_size=8, max_size=8)), min_size=1, max_size=60))
def test_no_log_is_too_odd(rows):
    steps = [step for step, _ in rows]
    run = [Series(tag, steps, [values[index] for _, values in rows]) for index, tag in enumerate(TAGS)]
    for item in explained(run).series:
        for incident in item.incidents:
            assert len(incident.causes) <= 4
            assert [cause.rank for cause in incident.causes] == list(range(1, len(incident.causes) + 1))
            assert {cause.cause for cause in incident.causes} <= SLUGS
            assert all(cause.evidence and cause.confirm for cause in incident.causes)


def test_arrays_and_lists_are_explained_alike():
    lists = [series("audio_loss", falling(40)), series("eval/audio_loss", falling(40), every=100)]
    arrays = [Series(each.tag, np.array(each.steps), np.array(each.values)) for each in lists]
    ours, theirs = ([item.incidents[0].causes for item in explained(run).series] for run in (lists, arrays))
    assert ours == theirs != []


def test_each_pass_of_a_restarted_run_has_its_own_shape():
    once = series("audio_loss", falling(40), last=500)
    good = series("audio_loss", healthy, last=500)
    twice = Series("audio_loss", [*once.steps, *good.steps, *once.steps], [*once.values, *good.values, *once.values])
    (item,) = explained([twice]).series
    causes = [incident.causes for incident in item.incidents if incident.group == "low-loss"]
    assert len(causes) == 2
    assert causes[0] == causes[1]
    assert causes[0][0].cause == "no-shift"


def test_a_healthy_run_stays_as_it_is():
    run = [series("audio_loss", healthy)]
    item = AuditedSeries(run[0], "audio", Limits(), [0], [])
    before = repr(item)
    explain([item], run)
    assert repr(item) == before


def test_series_that_were_not_audited_have_a_say():
    run = [series("audio_loss", lambda step: 0.0), series("grad_norm", lambda step: math.nan)]
    report = explained(run)
    assert [item.tag for item in report.series] == ["audio_loss"]
    assert "grad_norm is NaN there" in report.series[0].incidents[0].causes[0].evidence


@pytest.mark.parametrize("tag", ["train/AudioLoss", "audio/loss", "loss_audio", "audioloss"])
@pytest.mark.parametrize("held_out", ["eval/AudioLoss", "val_audio_loss", "ValidationAudioLoss"])
def test_names_are_read_as_words(tag, held_out):
    run = [series(tag, falling(40)), series(held_out, falling(40), every=50)]
    (item,) = (item for item in explained(run).series if item.tag == tag)
    assert any(held_out in clause for clause in item.incidents[0].causes[0].evidence)
