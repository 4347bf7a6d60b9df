"""A check that a batch passes by would have found nothing in it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli import Severity
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.measure.alignment import Audio
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.samples import samples_of
from audioloss_cli.probe.measure.suspicion import COSTLY, needed
from tests.effort import examples
from tests.probe.checks.evidences import BOS, EOS, IGNORED, LAYOUT, K, V


@st.composite
def audio(draw: st.DrawFn) -> Audio:
    """Of 80 rows, of many codes or few, labelled in part, moved, or of other codes."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**20)))
    distinct = draw(st.sampled_from([1, 2, 3, 6, 9, 14, BOS, V]))
    codes = torch.randint(0, distinct, (80, K), generator=generator)
    for book in draw(st.sets(st.integers(0, K - 1))):
        codes[:, book] %= draw(st.integers(1, 4))
    segments = torch.arange(2).repeat_interleave(40)
    codes[::40], codes[39::40] = BOS, EOS
    labels = codes.roll(draw(st.sampled_from([0, 0, 0, 1, -1, 3])), 0)
    labels = labels if draw(st.booleans()) else labels.flip(draw(st.sampled_from([0, 1])))
    labels = labels.masked_fill(labels == BOS, IGNORED)
    hidden = torch.rand(80, K, generator=generator) < draw(st.sampled_from([0.0, 0.3, 0.6, 0.95]))
    labels = labels.masked_fill(hidden, IGNORED)
    if draw(st.booleans()):
        labels[:, draw(st.integers(0, K - 1))] = IGNORED
    if draw(st.booleans()):
        labels = labels.masked_fill((labels >= 0) & (labels != EOS), IGNORED)
    return Audio(codes, labels, segments, segments)


@given(audio(), st.sampled_from([0, 1]))
@settings(max_examples=examples(400), deadline=None)
def test_what_is_left_out_finds_nothing(found, shift):
    from dataclasses import replace

    evidence = Evidence(replace(LAYOUT, shift=shift), {}, found)
    samples = samples_of(evidence)
    histogram, outside = DataFigures(K, V).add(samples, None)
    left_out = [name for name in COSTLY if name not in needed(samples, histogram, outside)]
    outcome = run_checks(evidence, left_out)
    assert [each.message for each in outcome.findings if each.severity is not Severity.INFO] == []


def test_a_healthy_batch_needs_none_of_them():
    codes = torch.randint(0, BOS, (400, K), generator=torch.Generator().manual_seed(0))
    places = torch.arange(4).repeat_interleave(100)
    samples = samples_of(Evidence(LAYOUT, {}, Audio(codes, codes, places, places)))
    histogram, outside = DataFigures(K, V).add(samples, None)
    assert needed(samples, histogram, outside) == ()


def test_codes_that_are_not_those_of_the_labels_are_looked_at_themselves():
    """The codebooks of the labels lie the other way round, and that of the poor codes does not count."""
    codes = torch.randint(0, BOS, (400, K), generator=torch.Generator().manual_seed(0))
    codes[:, 0] = 0
    labels = codes.flip(1)
    labels[:, -1] = IGNORED
    places = torch.arange(4).repeat_interleave(100)
    samples = samples_of(Evidence(LAYOUT, {}, Audio(codes, labels, places, places)))
    histogram, outside = DataFigures(K, V).add(samples, None)
    assert "poor_codes" in needed(samples, histogram, outside)
