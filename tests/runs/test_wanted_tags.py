"""Leaving out the points of tags that nobody looks at must change no verdict."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import scan
from audioloss_cli.causes import _names
from audioloss_cli.naming import TagPattern
from audioloss_cli.naming.selection import select
from audioloss_cli.runs import readings as reading_of_runs
from audioloss_cli.runs.wanted_tags import wanted

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"
WORDS = (
    "train",
    "eval",
    "loss",
    "audio",
    "text",
    "total",
    "lr",
    "codebook",
    "3",
    "grad",
    "norm",
    "epoch",
    "c",
    "ce",
    "q",
)
TAGS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from("/_. ").map(lambda separator: separator.join(parts))
)


@given(tags=st.lists(TAGS, min_size=1, max_size=6, unique=True), all_losses=st.booleans())
def test_whatever_is_chosen_is_wanted(tags, all_losses):
    needed = wanted("run", ())
    chosen = select({tag: tag for tag in tags}, all_losses=all_losses).roles
    assert all(map(needed, chosen))


@given(tag=TAGS)
def test_whatever_a_signature_finds_by_its_name_is_wanted(tag):
    finders = (
        _names.is_audio_loss,
        _names.is_text,
        _names.is_total,
        _names.is_grad_norm,
        _names.is_epoch,
        _names.codebook,
    )
    if any(find(tag) not in (False, None) for find in finders):
        assert wanted("run", ())(tag)


def test_what_is_asked_for_by_name_is_wanted():
    assert wanted("run", [TagPattern("throughput")])("throughput")
    assert not wanted("run", ())("throughput")


@pytest.mark.parametrize(
    "run", sorted(path.name for path in SAMPLES.iterdir() if path.is_dir() or path.suffix == ".jsonl")
)
def test_a_report_is_the_same_with_every_point_at_hand(run, monkeypatch):
    lean = scan(SAMPLES / run)
    monkeypatch.setattr(reading_of_runs, "wanted", lambda *_: None)
    assert in_words(scan(SAMPLES / run)) == in_words(lean)


def in_words(report):
    return [(sorted(each.tags), [repr(item.incidents) for item in each.series], each.defects) for each in report.runs]
