"""Words, numbers and lines that every part of the text report shares."""

from collections.abc import Iterator
from textwrap import wrap

from audioloss_cli.model import Severity, View, shortened

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_NARROWEST, _WIDEST = 40, 100  # columns in which prose can be read

Line = tuple[tuple[str, str], ...]  # each part and its style, in rich's words; empty for none


def line(*parts: str | tuple[str, str]) -> Line:
    """One line of the report, of parts without and with a style."""
    return tuple((part, "") if isinstance(part, str) else part for part in parts)


def title(text: str) -> Iterator[Line]:
    """A heading with a blank line before it."""
    yield line()
    yield line((text, "bold"))


def paragraph(text: str, view: View, indent: int, hang: int = 0) -> Iterator[Line]:
    """Lines no wider than the view, nor than can be read, but for words that cannot be broken.

    Args:
        text: the paragraph.
        view: how it is to be shown.
        indent: blanks before each line.
        hang: more of them before all but the first.
    """
    first, rest = " " * indent, " " * (indent + hang)
    width = min(max(view.width, _NARROWEST), _WIDEST)
    for found in wrap(
        shortened(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield line(found)
