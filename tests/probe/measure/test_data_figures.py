"""Figures over a whole data set: digests that padding does not change, copies, the worst samples."""

from collections import Counter
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli.probe.measure.data_figures import DataFigures, Place, quantile
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.measure.sample_digests import digests
from audioloss_cli.probe.measure.samples import Samples, samples_of
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.choose import choose_adapter
from tests.effort import examples
from tests.probe import pipelines, tiny
from tests.probe.model_io.adapters.healthy import ORIGINAL


def read(batch: pipelines.Batch, config: dict[str, Any] = ORIGINAL) -> Samples:
    adapter, _ = choose_adapter("", config, Options(), batch)
    return samples_of(Evidence(adapter.layout, batch, read_audio(adapter, batch)))


def test_a_sample_has_the_same_digest_in_every_batch_whatever_it_is_padded_with():
    one, other = tiny.hf_batch(((9,),), seed=4), tiny.hf_batch(((9,), (30, 20)), seed=4)
    assert digests(read(one))[0] == digests(read(other))[0]
    assert digests(read(other))[1] != digests(read(other))[0]
    without = [{name: value for name, value in batch.items() if name != "attention_mask"} for batch in (one, other)]
    assert digests(read(without[0]))[0] == digests(read(without[1]))[0]


def test_any_change_of_a_code_or_of_the_text_is_another_sample():
    batch = pipelines.collate(pipelines.kept()[:2])
    before = digests(read(batch))
    for name, place in (("audio_out_ids", (3, 12)), ("input_ids", (0, 2))):
        changed = batch[name].clone()
        changed[place] += 1
        after = digests(read({**batch, name: changed}))
        assert after[0] != before[0]
        assert after[1] == before[1]
    swapped = batch["audio_out_ids"].clone()
    swapped[:, [12, 13]] = swapped[:, [13, 12]]
    assert digests(read({**batch, "audio_out_ids": swapped}))[0] != before[0]


@given(st.lists(st.integers(0, 9), max_size=60))
@settings(max_examples=examples(200), deadline=None)
def test_copies_are_counted(numbers):
    figures = DataFigures(1, 10)
    figures.digests += torch.tensor(numbers, dtype=torch.long).numpy().tobytes()
    found, counts = figures.copies(), Counter(numbers)
    assert (found.count, found.distinct) == (len(numbers) - len(counts), len(counts))
    assert found.most == max(counts.values(), default=0)
    assert all(numbers[earlier] == numbers[later] and earlier < later for earlier, later in found.first)


def test_the_most_repetitive_samples_are_kept_and_named():
    figures = DataFigures(8, 1026)
    for number in range(30):
        batch = tiny.hf_batch(((60,),), seed=number, distinct=64, sticky=0.6 + number / 100)
        figures.add(read(batch), [100 + number])
    shares = [share for share, _ in figures.repetitive]
    assert len(shares) == 20
    assert shares == sorted(shares)
    assert figures.repetitive[-1][1].index > 120
    assert str(Place(3, 1, None)) == "sample 1 of batch 3"


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.sampled_from([0.0, 0.5, 0.99, 1.0]))
@settings(max_examples=examples(100), deadline=None)
def test_quantiles_are_those_of_the_sorted_values(values, share):
    place = max(-(-int(share * len(values) * 10**6) // 10**6) - 1, 0)
    assert quantile(Counter(values), share) == sorted(values)[place]
