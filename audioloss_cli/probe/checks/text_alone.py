"""Samples that hold text and no audio.

What: Of a whole data set, the samples whose text has no audio beside it. A fact: many trainings mix them in.

Why: Audio that was filtered out by its length, or was not found, leaves its text behind: the audio loss then has less
to learn from than the number of samples says, and a batch of such samples alone has none.

Fix: Where no text alone was meant, look at the named samples before the collator. Where it was meant, let each batch
hold audio, or keep the audio loss out of the mean for the steps without.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Of the whole data."""
    data = evidence.data
    if data is None or not data.without_audio.count:
        return
    alone = data.without_audio
    yield Problem(
        Severity.INFO,
        f"{alone.count:,} of {data.samples:,} samples ({percent(alone.count / data.samples)}) are text alone: {alone}",
        {"text_alone": alone.count, "samples_in_all": data.samples, "first": alone.as_json()},
    )


def passed(evidence: Evidence) -> str:
    """That there are none."""
    data = evidence.data
    if data is None or not data.text_lengths or data.without_audio.count:
        return ""
    return f"all {data.samples:,} samples hold audio"
