"""A checkpoint: what lies in it, its modules where they tell something, and what was found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioloss_cli.model import View, shortened
from audioloss_cli.outputs._sizes import change, extent, norm
from audioloss_cli.outputs._verdict import plural
from audioloss_cli.outputs.text.layout import Line, line, paragraph

if TYPE_CHECKING:
    from audioloss_cli.model.checkpoint_report import CheckpointReport, ModuleSummary

_MOST_MODULES = 12
_MOST_IMPORTS = 10
_HEADINGS = ("module", "tensors", "parameters", "norm", "change", "dtype")


def checkpoint_lines(checkpoint: "CheckpointReport", view: View) -> Iterator[Line]:
    """Its extent, notes and modules: with -v all, else the ones with faults, or that were compared."""
    yield from paragraph(extent(checkpoint), view, indent=2, hang=2)
    for note in checkpoint.notes:
        yield from paragraph(f"note: {note}", view, indent=2, hang=2)
    told = [each for each in checkpoint.modules if view.verbosity > 0 or each.faults or checkpoint.against]
    shown = told if view.verbosity > 0 else told[:_MOST_MODULES]
    yield from _table(shown)
    if len(told) > len(shown):
        yield line(f"    ... and {plural(len(told) - len(shown), 'more module')}; -v lists them")
    if checkpoint.imports and view.verbosity > 0:
        names = checkpoint.imports[:_MOST_IMPORTS]
        more = f", and {len(checkpoint.imports) - len(names):,} more" if len(checkpoint.imports) > len(names) else ""
        yield from paragraph(f"loading it imports: {', '.join(names)}{more}", view, indent=2, hang=2)


def _table(modules: list["ModuleSummary"]) -> Iterator[Line]:
    """Columns that nothing stands in are left out."""
    rows = [_cells(each) for each in modules]
    kept = [index for index in range(len(_HEADINGS)) if any(row[index] for row in rows)]
    widths = {index: max(len(row[index]) for row in (_HEADINGS, *rows)) for index in kept}
    for row in (_HEADINGS, *rows) if rows else ():
        cells = [row[index].rjust(widths[index]) for index in kept]
        cells[0], cells[-1] = row[kept[0]].ljust(widths[kept[0]]), row[kept[-1]]
        yield line(f"    {'  '.join(cells).rstrip()}")


def _cells(module: "ModuleSummary") -> tuple[str, ...]:
    name, dtypes = shortened(module.name, 60), "+".join(module.dtypes)
    return (name, f"{module.tensors:,}", f"{module.parameters:,}", norm(module), change(module), dtypes)
