"""Words, numbers and lines that every part of the text report shares."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import wrap

from audioloss_cli.model import Severity, View, is_missing, shortened

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_NARROWEST = 40

Line = tuple[tuple[str, str], ...]  # each part and its style, in rich's words; empty for none


def line(*parts: str | tuple[str, str]) -> Line:
    """One line of the report, of parts without and with a style."""
    return tuple((part, "") if isinstance(part, str) else part for part in parts)


def title(text: str) -> Iterator[Line]:
    """A heading with a blank line before it."""
    yield line()
    yield line((text, "bold"))


def paragraph(text: str, view: View, indent: int, hang: int = 0) -> Iterator[Line]:
    """Lines no wider than the view, but for words that cannot be broken; ``hang`` indents all but the first further."""
    first, rest = " " * indent, " " * (indent + hang)
    width = max(view.width, _NARROWEST)
    for found in wrap(
        shortened(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield line(found)


def plural(count: int, noun: str) -> str:
    """``1 point``, ``2 points``, ``1 series``, ``2 series``."""
    return f"{count:,} {noun}" + ("" if count == 1 or noun.endswith("s") else "s")


def number(value: float) -> str:
    """Four significant digits; ``missing`` for a null of the log."""
    if is_missing(value):
        return "missing"
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def moment(seconds: float) -> str:
    """A wall time in UTC, blank where the log has none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return " " * 20
