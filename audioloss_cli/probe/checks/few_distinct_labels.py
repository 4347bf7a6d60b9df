"""The labels that count are almost all the same.

What: At most 2 different audio labels count in the whole batch, or at least 90 % of them are special ids (BOS, EOS).
Or, of a whole data set, in at least one sample in a hundred nothing but special ids counts; fewer are a fact.

Why: To predict the one label that is ever asked for needs no listening: such a loss falls below 0.01 within 50 steps
and looks like a triumph.

Fix: Mask by position rather than by value, before the special ids are added; keep the real codes and one EOS a
codebook.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed, percent
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import Evidence

_FEW, _MOST_SPECIAL, _MOST_OF_THE_DATA = 2, 0.9, 0.01
_FEWEST_LABELS = 8  # of fewer nothing can be said


def check(evidence: Evidence) -> Iterator[Problem]:
    """Over the whole batch."""
    if evidence.data is not None:
        yield from _of_the_data(evidence.data)
    labels = _labels(evidence)
    if labels is None:
        return
    distinct, special = labels.unique(), _special(labels, evidence)
    if len(distinct) > _FEW and special < _MOST_SPECIAL:
        return
    yield Problem(
        Severity.CRITICAL,
        f"{len(labels)} audio labels count, of {len(distinct)} different ids ({listed(distinct.tolist())}); "
        f"{percent(special)} of them are BOS or EOS",
        {"valid": len(labels), "distinct": len(distinct), "special_share": special},
    )


def passed(evidence: Evidence) -> str:
    """How many there are."""
    labels = _labels(evidence)
    return "" if labels is None else f"{len(labels.unique())} different labels count"


def _of_the_data(found: DataFigures) -> Iterator[Problem]:
    alone = found.special
    if alone.count:
        yield Problem(
            Severity.WARNING if alone.count >= _MOST_OF_THE_DATA * found.samples else Severity.INFO,
            f"in {alone.count:,} of {found.samples:,} samples nothing but BOS and EOS counts: {alone}",
            {"special_alone": alone.count, "samples_in_all": found.samples, "first": alone.as_json()},
        )


def _labels(evidence: Evidence) -> Tensor | None:
    labels, valid = evidence.audio.labels, evidence.valid
    if labels is None or valid is None or int(valid.sum()) < _FEWEST_LABELS:
        return None
    return labels[valid]


def _special(labels: Tensor, evidence: Evidence) -> float:
    ids = [special for special in (evidence.layout.bos, evidence.layout.eos) if special is not None]
    return float(torch.isin(labels, torch.tensor(ids, dtype=labels.dtype, device="cpu")).float().mean())
