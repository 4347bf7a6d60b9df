"""The same samples come again and again within one pass over the data.

What: Of a whole data set, at least a quarter of the samples are equal, in audio codes and text, to one that came
before. Fewer are a fact, and so are they where the sampler draws with replacement.

Why: An iterable dataset that does not share itself out among its workers gives every sample once a worker; a dataset
that returns one buffer, or does not look at its index, gives one sample for all. The loss then falls by heart, and an
epoch is far longer than the data.

Fix: In an IterableDataset take every worker_info.num_workers-th sample, from worker_info.id on
(torch.utils.data.get_worker_info). Of the copies that are named, look at what tells them apart before the collator.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.evidence import Evidence

_MOST, _FEWEST = 0.25, 8


def check(evidence: Evidence) -> Iterator[Problem]:
    """Of the whole data."""
    data = evidence.data
    if data is None:
        return
    found, samples = data.copies(), data.known
    if not found.count:
        return
    grave = found.count >= _MOST * samples and samples >= _FEWEST and not data.may_repeat
    earlier, later = found.first[0]
    meant = ", drawn with replacement" if data.may_repeat else ""
    yield Problem(
        Severity.WARNING if grave else Severity.INFO,
        f"{found.count:,} of {samples:,} samples ({percent(found.count / samples)}) are equal to an earlier one{meant}"
        f": {found.distinct:,} differ, the most frequent comes {found.most:,} times; in the order of the loader sample "
        f"{later:,} is sample {earlier:,} again",
        {"copies": found.count, "distinct": found.distinct, "most": found.most, "first": [*map(list, found.first)]},
    )


def passed(evidence: Evidence) -> str:
    """That all differ."""
    data = evidence.data
    return "" if data is None or not data.whole or data.copies().count else f"all {data.samples:,} samples differ"
