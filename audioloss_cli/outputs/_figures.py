"""Numbers and moments as every report for people spells them."""

import math
from datetime import UTC, datetime

from audioloss_cli.model import is_missing


def number(value: float) -> str:
    """Four significant digits; ``missing`` for a null of the log."""
    if is_missing(value):
        return "missing"
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def moment(seconds: float) -> str:
    """A wall time in UTC, empty where the log has none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""
