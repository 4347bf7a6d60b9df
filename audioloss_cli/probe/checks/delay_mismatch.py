"""The batch has another delay pattern than the model.

What: The configuration says that codebook k starts k columns late, and the beginnings (BOS) and ends (EOS) of the
codes in this batch say otherwise, or the other way round. Or, in a whole data set without a configuration, some
segments are delayed and others are not.

Why: The model was trained to predict codebook k one frame after codebook k - 1. Codes without the delay ask it for
all codebooks at once: training starts from chance again and generation is noise. Public trainers hard-code
use_delay_pattern=False.

Fix: Give the collator the model's own setting: use_delay_pattern = config.use_delay_pattern.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.staircase import delays

_PATTERN = {True: "delayed by one column a codebook", False: "not delayed"}


def check(evidence: Evidence) -> Iterator[Problem]:
    """Over the segments that show their pattern."""
    if evidence.data is not None:
        yield from _of_the_data(evidence.data)
        return
    delayed = evidence.layout.delayed
    seen = {} if delayed is None else _patterns(evidence)
    wrong = [segment for segment, pattern in seen.items() if pattern is not delayed]
    if not wrong:
        return
    yield Problem(
        Severity.CRITICAL,
        f"{len(wrong)} of {len(seen)} segments are {_PATTERN[not delayed]}, the model's configuration says "
        f"{_PATTERN[bool(delayed)]}",
        {"segments": wrong, "configured": delayed},
    )


def passed(evidence: Evidence) -> str:
    """Says what was seen."""
    if evidence.data is not None:
        return ""
    if evidence.layout.delayed is None or not _patterns(evidence):
        return ""
    return f"the codes are {_PATTERN[evidence.layout.delayed]}, as configured"


def _patterns(evidence: Evidence) -> dict[int, bool]:
    """Segment -> whether its codes are delayed, for those that show it."""
    codes, segments, layout = evidence.audio.codes, evidence.audio.segments, evidence.layout
    if codes is None or segments is None:
        return {}
    return delays(codes, segments, layout.bos, layout.eos)


def _of_the_data(found: DataFigures) -> Iterator[Problem]:
    """Some segments are delayed and others are not, whatever a configuration says."""
    late, straight = found.patterns[True], found.patterns[False]
    if late.count and straight.count:
        few = min(late, straight, key=lambda each: each.count)
        yield Problem(
            Severity.CRITICAL,
            f"{late.count:,} segments of the data are {_PATTERN[True]} and {straight.count:,} are {_PATTERN[False]}; "
            f"the first of the fewer is in batch {few.first[0].batch}",
            {"delayed": late.count, "not_delayed": straight.count, "batches": sorted({p.batch for p in few.first})},
        )
