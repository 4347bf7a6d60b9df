"""Lines as text, in colour or not: the only place that knows how a style looks.

Of rich no more is imported than what knows the codes of a style, and that for colours alone; its console, which lays
nothing out here, would cost more than all else of a small scan.
"""

from collections.abc import Callable, Iterable

from audioloss_cli.model import printable, shortened
from audioloss_cli.outputs.text.layout import Line


def painted(lines: Iterable[Line], *, color: bool) -> str:
    """Each line with a newline behind it, with ANSI codes around what has a style if ``color``."""
    paint = _in_color() if color else _plain
    return "".join(f"{''.join(paint(_visible(text), style) for text, style in line)}\n" for line in lines)


def _visible(text: str) -> str:
    return shortened(printable(text))


def _plain(text: str, style: str) -> str:
    return text


def _in_color() -> Callable[[str, str], str]:
    from rich.color import ColorSystem  # noqa: PLC0415  # 15 ms that no pipe needs
    from rich.style import Style  # noqa: PLC0415

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)
