"""One chart: the curves of one tag in several runs over each other, with axes, alert rows and a legend."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from audioloss_cli.model import SeriesReport, Severity, View, printable, shortened
from audioloss_cli.model.envelope import Envelope, Part
from audioloss_cli.outputs._scale import Scale, nice_steps
from audioloss_cli.outputs._verdict import plural
from audioloss_cli.outputs.plot.canvas import Canvas

LETTERS = "abcdefgh"
_COLORS = ("36", "33", "32", "35", "34", "96", "93", "92")
_ALERT = "31"
_MARKS = {Severity.CRITICAL: "!", Severity.WARNING: "w", Severity.INFO: "i"}
_STANDINGS = {"known": "k", "suppressed": "s"}
_HEIGHT, _LABELS, _NARROWEST = 16, 9, 20
_Y_TICKS, _COLUMNS_OF_A_TICK, _MOST_CODES = 6, 14, 3


class Drawn(NamedTuple):
    """What is kept of a series until its chart is drawn.

    Attributes:
        run: name of its run.
        item: the series; its envelope may be gone.
        parts: of an envelope about twice as fine as the chart is wide.
        span: lowest and highest step.
    """

    run: str
    item: SeriesReport
    parts: Sequence[Part]
    span: tuple[int, int]


def drawn(run: str, item: SeriesReport, view: View) -> Drawn:
    """Return what a chart needs of a series: of all its points where the report has them."""
    fine = 2 * _columns(view)
    envelope = item.envelope if item.series is None else Envelope.of(item.series, item.segment_starts, fine)
    return Drawn(run, item, envelope.parts, item.span)


def chart(tag: str, series: Sequence[Drawn], view: View) -> Iterator[str]:
    """Yield the lines of a chart, with ANSI colours where ``view`` wants them.

    Args:
        tag: name of the series.
        series: at most as many as there are letters, in the order of the legend.
        view: width, colours, and whether Braille can be shown.
    """
    scale = Scale.over([part for each in series for part in each.parts])
    first, last = min(each.span[0] for each in series), max(each.span[1] for each in series)
    canvas = Canvas(_columns(view), _HEIGHT, fine=view.unicode and (view.color or len(series) == 1))
    for pen, each in enumerate(series):
        _draw(canvas, each.parts, pen, scale, (first, last))
    yield f"{_shown(tag, view)}  ({'log' if scale.log else 'linear'} scale)"
    yield from _body(canvas, scale, view)
    yield from _steps(canvas, (first, last), series[0].item.axis.unit, view)
    for pen, each in enumerate(series):
        yield from _alerts(each, pen, (first, last), view)
    for pen, each in enumerate(series):
        yield from _legend(each, pen, view)


def _draw(canvas: Canvas, parts: Sequence[Part], pen: int, scale: Scale, span: tuple[int, int]) -> None:
    """Each part from its lowest to its highest value, and a line from mean to mean within a segment."""
    before: tuple[int, tuple[int, int]] | None = None
    for part in parts:
        if not part.finite:
            before = None
            continue
        x = _place(part.first_step, span, canvas.width)
        canvas.column(x, _row(part.high, scale, canvas), _row(part.low, scale, canvas), pen)
        here = (x, _row(part.mean, scale, canvas))
        if before is not None and before[0] == part.segment:
            canvas.line(before[1], here, pen)
        before = (part.segment, here)


def _place(step: int, span: tuple[int, int], width: int) -> int:
    first, last = span
    return (step - first) * (width - 1) // max(last - first, 1)


def _row(value: float, scale: Scale, canvas: Canvas) -> int:
    return min(max(scale.place(value) * canvas.height // scale.height, 0), canvas.height - 1)


def _body(canvas: Canvas, scale: Scale, view: View) -> Iterator[str]:
    labels = {min(int(tick.place / 100 * _HEIGHT), _HEIGHT - 1): tick.text for tick in scale.ticks(_Y_TICKS)}
    tick, bar = ("┤", "│") if view.unicode else ("+", "|")
    for number in range(_HEIGHT):
        label = labels.get(number, "")
        cells = "".join(_painted(char, pen, view) for char, pen in canvas.row(number, LETTERS)).rstrip()
        yield f"{label:>{_LABELS}} {tick if label else bar}{cells}"


def _steps(canvas: Canvas, span: tuple[int, int], unit: str, view: View) -> Iterator[str]:
    columns = _columns(view)
    corner, dash, tick = ("└", "─", "┬") if view.unicode else ("+", "-", "+")
    axis, labels = [dash] * columns, " " * columns
    for step in nice_steps(float(span[0]), float(span[1]), max(columns // _COLUMNS_OF_A_TICK, 2)):
        text, at = f"{round(step):,}", _place(round(step), span, columns)
        start = min(max(at - len(text) // 2, 0), columns - len(text))
        if step.is_integer() and not labels[max(start - 1, 0) : start + len(text)].strip():
            axis[at] = tick
            labels = labels[:start] + text + labels[start + len(text) :]
    yield f"{'':>{_LABELS}} {corner}{''.join(axis)}"
    yield f"{unit + 's':>{_LABELS}}  {labels.rstrip()}"


def _alerts(series: Drawn, pen: int, span: tuple[int, int], view: View) -> Iterator[str]:
    """``!`` under a critical incident, ``w`` under a warning, ``x`` where values are no numbers."""
    columns = _columns(view)
    row = [" "] * columns
    marked = [("x", part.first_step, part.last_step) for part in series.parts if part.finite < part.points]
    for incident in sorted(series.item.incidents, key=lambda each: (each.standing == "found", each.severity.rank)):
        mark = _STANDINGS.get(incident.standing, _MARKS[incident.severity])
        marked.append((mark, incident.first_step, incident.last_step))
    for mark, first, last in marked:
        start, end = _place(first, span, columns), _place(last, span, columns)
        row[start : end + 1] = mark * (end - start + 1)
    text = "".join(row).rstrip()
    if text:
        yield f"{'alerts ' + LETTERS[pen]:>{_LABELS}}  {_colored(text, _ALERT, view)}"


def _legend(series: Drawn, pen: int, view: View) -> Iterator[str]:
    yield f"  {_painted(LETTERS[pen], pen, view)}  {_shown(series.run, view)}"
    known = [part for part in series.parts if part.finite]
    text = f"{plural(series.item.points, 'point')}, no value is finite"
    if known:
        low, high = min(part.low for part in known), max(part.high for part in known)
        text = f"{plural(series.item.points, 'point')}, {low:.4g} to {high:.4g}, ends at {known[-1].mean:.4g}"
    found = [each for each in series.item.incidents if each.standing == "found"]
    codes = ", ".join(dict.fromkeys(f"{each.code} from step {each.first_step:,}" for each in found[:_MOST_CODES]))
    more = f", and {len(found) - _MOST_CODES:,} more" if len(found) > _MOST_CODES else ""
    for line in wrap(_shown(f"{text}; {codes}{more}" if codes else text, view), max(view.width - 5, _NARROWEST)):
        yield f"     {line}"


def _columns(view: View) -> int:
    return max(view.width - _LABELS - 3, _NARROWEST)


def _painted(char: str, pen: int, view: View) -> str:
    return char if pen < 0 else _colored(char, _COLORS[pen % len(_COLORS)], view)


def _colored(text: str, color: str, view: View) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if view.color and text.strip() else text


def _shown(text: str, view: View) -> str:
    text = shortened(printable(text))
    return text if view.unicode else text.encode("ascii", "backslashreplace").decode("ascii")
