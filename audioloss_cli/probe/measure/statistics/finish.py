"""From the planes of both looks, on the CPU, to the result."""

import math

import torch
from torch import Tensor

from audioloss_cli.probe.measure.statistics.chunks import Rows
from audioloss_cli.probe.measure.statistics.kernel import PLANES, Plane
from audioloss_cli.probe.measure.statistics.labels import COUNTS, OUT_OF_RANGE
from audioloss_cli.probe.measure.statistics.non_finite import Count, first_broken, inspect
from audioloss_cli.probe.measure.statistics.result import LogitStatistics


def finish(source: Rows, found: Tensor) -> LogitStatistics:
    """The result of planes [7 + 2 O, N, K]: those of ``measure``, z at the labels, and the states of the labels."""
    planes, count = found[:PLANES], (len(found) - PLANES) // 2
    at_labels, states = found[PLANES : PLANES + count], found[PLANES + count :]
    maximum, minimum = planes[Plane.MAXIMUM].clone(), planes[Plane.MINIMUM].clone()  # not views of all planes
    suspects = (~(torch.isfinite(maximum) & torch.isfinite(minimum))).any(1).nonzero().squeeze(1)
    second = source.pick(suspects)
    again = inspect(second)
    first = first_broken(second, again)
    log_sum = planes[Plane.TOP].log().neg().clamp_min(0)  # rounding may put the largest p above 1
    cross_entropy = torch.where(states == COUNTS, log_sum - at_labels, math.nan)
    _, codebooks, vocab = source.logits.shape
    mean, std = _moments(planes, suspects, again, vocab)
    argmax = planes[Plane.ARGMAX].index_copy(0, suspects, again[Count.ARGMAX]).long()
    return LogitStatistics(
        shape=(len(source), codebooks, vocab),
        dtype=str(source.logits.dtype).removeprefix("torch."),
        maximum=maximum,
        minimum=minimum,
        entropy=log_sum - planes[Plane.TILT],
        log_normalizer=torch.where(torch.isinf(maximum), maximum, maximum + log_sum),
        argmax=argmax,
        cross_entropy=cross_entropy,
        valid=states == COUNTS,
        mean=mean,
        std=std,
        nan_count=again[Count.NAN].sum(0, dtype=torch.float64).long(),
        positive_infinity_count=again[Count.POSITIVE].sum(0, dtype=torch.float64).long(),
        negative_infinity_count=again[Count.NEGATIVE].sum(0, dtype=torch.float64).long(),
        first_non_finite=None if first is None else (int(suspects[first[0]]), *first[1:]),
        out_of_range=int((states == OUT_OF_RANGE).sum()),
    )


def _moments(planes: Tensor, suspects: Tensor, again: Tensor, vocab_size: int) -> tuple[Tensor, Tensor]:
    """Mean and population standard deviation [K] of the finite logits, merged from those of the cells.

    Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances (1979), eq. 2.1.
    """
    mean, norm, maximum = (planes[plane].double() for plane in (Plane.MEAN, Plane.NORM, Plane.MAXIMUM))
    size = torch.full_like(mean, vocab_size).index_copy_(0, suspects, again[Count.FINITE].double())
    mean = (maximum + mean).index_copy_(0, suspects, again[Count.MEAN].double())
    norm.index_copy_(0, suspects, again[Count.NORM].double())
    mean, norm = (torch.where(size > 0, values, 0) for values in (mean, norm))
    overall = (size * mean).sum(0) / size.sum(0)
    variance = (norm**2 + size * (mean - overall) ** 2).sum(0) / size.sum(0)
    return overall.float(), variance.sqrt().float()
