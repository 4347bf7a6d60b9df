"""Labels that stand for no code though they count; a private module is no plugin."""

import torch
from torch import Tensor

from audioloss_cli.probe.measure.evidence import Evidence


def special_labels(evidence: Evidence) -> Tensor | None:
    """[N, K] bool: labels that count and are BOS or EOS, beyond one EOS for each codebook of each segment.

    None where the family has neither, or nothing is labelled.
    """
    labels, valid, segments, layout = evidence.audio.labels, evidence.valid, evidence.audio.segments, evidence.layout
    ids = [each for each in (layout.bos, layout.eos) if each is not None]
    if labels is None or valid is None or segments is None or not ids or not bool(valid.any()):
        return None
    special = valid & torch.isin(labels, torch.tensor(ids, dtype=labels.dtype, device="cpu"))
    if layout.eos is None or layout.eos == layout.bos:
        return special
    return special & ~_first(special & (labels == layout.eos), segments)


def _first(flags: Tensor, segments: Tensor) -> Tensor:
    """[N, K] bool: the first true cell of each segment and codebook."""
    before = flags.long().cumsum(0) - flags.long()
    start = torch.ones_like(segments, dtype=torch.bool)
    start[1:] = segments[1:] != segments[:-1]
    number = start.long().cumsum(0) - 1
    at_start = before[start.nonzero().flatten()][number]
    return flags & (before == at_start)
