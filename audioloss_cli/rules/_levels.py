"""Medians of the last points, which the rules that look at a series' own past share; a private module is no plugin."""

import math

from audioloss_cli.model import InactiveRange, SeriesHistory


def recent_medians(history: SeriesHistory, width: int, count: int) -> list[float]:
    """The medians of the last ``count`` windows of ``width`` finite values, an odd number; fewer if there are fewer."""
    values = [value for value in history.last(width + count - 1) if value - value == 0]  # finite
    if count == 1:  # as most rules ask, at every point while something is wrong
        return [sorted(values)[width // 2]] if len(values) == width else []
    return [sorted(values[start : start + width])[width // 2] for start in range(len(values) - width + 1)]


def lost(rise: float, least: float, share: float, level: float, history: SeriesHistory) -> float:
    """The rise that takes away a share of what was learnt since the start, if that is less than ``rise``.

    Where little was learnt it says nothing: it must be at least a share, ``least``, of ``rise``.
    """
    back = share * (history.start - level) if history.start is not None else 0.0
    return min(rise, back) if back >= least * rise else rise


def beyond_noise(rise: float, level: float, history: SeriesHistory) -> float:
    """The rise above ``level``, the usual one; a larger one where the loss has gone up and down by itself.

    Noise that stays for hundreds of steps may leave the last 1000 of them low, and then takes the loss where it often
    was. So the rise is made of two equal steps. The second one starts from how high the loss was now and then since it
    first lay no more than the first one above ``level``: where a loss only fell, both together are the rise.
    """
    step = math.sqrt(1 + rise / level) if level > 0 else 1.0
    return max(rise, step * history.high(step) - level)


def lost_range(ratio: float, least: float, share: float, company: int) -> InactiveRange:
    """Where a rule cannot hold that asks ``company`` points for ``lost`` of a rise to ``ratio`` times the level.

    The rise is the smaller one from a level of ``share / (ratio - 1 + share)`` of the start on, and says something up
    to one of ``share / (least * (ratio - 1) + share)`` of it.
    """
    rise = ratio - 1
    lowest, highest = share / (rise + share), share / (least * rise + share)
    return InactiveRange(high_share=ratio, start_share=share + (1 - share) * lowest, fallen=highest, company=company)


def recent_median(history: SeriesHistory, width: int) -> float:
    """The median of the last ``width`` finite values, or of as many as there are; NaN without any."""
    values = sorted(value for value in history.last(width) if value - value == 0)  # finite
    return values[len(values) // 2] if values else float("nan")
