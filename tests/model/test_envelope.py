"""The envelope of a series: minimum, maximum and mean of its parts, whichever way they are found."""

import math
from array import array
from random import Random

import pytest

from audioloss_cli import Series
from audioloss_cli.model.columns import POINTS_WORTH_IMPORTING
from audioloss_cli.model.envelope import Envelope

ODD = (math.nan, math.inf, -math.inf, 1e308, -1e308)


def series_of(size: int, odd: int) -> Series:
    """Values around 2, so many of them odd ones."""
    rng = Random(size)
    values = [2 + rng.random() for _ in range(size)]
    for _ in range(odd):
        values[rng.randrange(size)] = rng.choice(ODD)
    return Series("loss", array("q", range(size)), array("d", values))


@pytest.mark.parametrize("odd", [0, 7])
@pytest.mark.parametrize("size", [1, 100, 1000, POINTS_WORTH_IMPORTING + 1])
def test_parts_hold_what_is_in_them(size, odd):
    series, starts = series_of(size, odd), [0, *([size // 3, size // 3 + 1] if size > 3 else [])]
    parts = Envelope.of(series, starts, 64).parts
    assert [part.points for part in parts if part.points < 1] == []
    at = 0
    for part in parts:
        values = list(series.values[at : at + part.points])
        known = [value for value in values if math.isfinite(value)]
        assert (part.first_step, part.last_step) == (at, at + part.points - 1)
        assert part.segment == sum(start <= at for start in starts) - 1
        assert part.finite == len(known)
        if known:
            assert (part.low, part.high) == (min(known), max(known))
            assert part.mean == pytest.approx(math.fsum(value / len(known) for value in known), rel=1e-12)
        else:
            assert all(map(math.isnan, (part.low, part.high, part.mean)))
        at += part.points
    assert at == size


@pytest.mark.parametrize("odd", [0, 7, 2000])
@pytest.mark.parametrize("size", [1, 100, 1000])
def test_by_segment_it_says_the_same_of_the_whole(size, odd):
    series, starts = series_of(size, odd), [0, *([size // 3, size // 3 + 1] if size > 3 else [])]
    fine = Envelope.of(series, starts, 64)
    coarse = fine.by_segment()
    assert [part.segment for part in coarse.parts] == list(range(len(starts)))
    assert (coarse.points, coarse.span, coarse.extremes) == (fine.points, fine.span, fine.extremes)
    for part, start, end in zip(coarse.parts, starts, [*starts[1:], size], strict=True):
        known = [value for value in series.values[start:end] if math.isfinite(value)]
        assert (part.points, part.finite, part.first_step, part.last_step) == (end - start, len(known), start, end - 1)
        mean = math.fsum(value / len(known) for value in known) if known else math.nan
        assert part.mean == pytest.approx(mean, rel=1e-9, nan_ok=True)
