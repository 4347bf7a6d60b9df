"""Medians of the last points, which the rules that look at a series' own past share; a private module is no plugin."""

from audioloss_cli.model import SeriesHistory


def recent_medians(history: SeriesHistory, width: int, count: int) -> list[float]:
    """The medians of the last ``count`` windows of ``width`` finite values, an odd number; fewer if there are fewer."""
    values = [value for value in history.last(width + count - 1) if value - value == 0]  # finite
    return [sorted(values[start : start + width])[width // 2] for start in range(len(values) - width + 1)]
