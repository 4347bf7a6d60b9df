"""Runs without a finding: counted, with what a reader must know of them, such as losses that were not audited."""

from collections import Counter
from collections.abc import Iterator

from audioloss_cli.model import RunReport, View
from audioloss_cli.outputs._sizes import changes, step_of
from audioloss_cli.outputs._verdict import plural
from audioloss_cli.outputs.text.layout import Line, line, paragraph
from audioloss_cli.outputs.text.runs import run_remarks

_MOST_REMARKS = 10
_MOST_CHECKPOINTS = 20


class CleanRuns:
    """Counts runs and checkpoints in which there is nothing to show, and runs that were not audited at all."""

    def __init__(self) -> None:
        self._runs = self._series = self._points = self._silent = self._damaged = 0
        self._checkpoints = list[str]()
        self._tensors = 0
        self._remarks = Counter[str]()

    def add(self, run: RunReport, view: View) -> None:
        """Count a run, and note what its reader should know."""
        if run.checkpoint is not None:
            parts = (run.run, step_of(run.checkpoint), changes(run.checkpoint))
            self._checkpoints.append(", ".join(filter(None, parts)))
            self._tensors += run.checkpoint.tensors
            return
        if not run.series:
            self._silent += 1
            return
        self._damaged += bool(run.defects)
        self._runs += 1
        self._series += len(run.series)
        self._points += sum(item.points for item in run.series)
        self._remarks.update(set(run_remarks(run, view)))

    def lines(self, view: View) -> Iterator[Line]:
        """Yield how many there are."""
        clean = self._runs - self._damaged
        counts = [plural(clean, "clean run")] if clean else []
        counts += [f"{plural(self._damaged, 'damaged run')} without incidents"] if self._damaged else []
        if counts:
            extent = f"{plural(self._series, 'series')}, {plural(self._points, 'point')}"
            yield line()
            shown = "it" if self._runs == 1 else "them"
            yield from paragraph(f"{' and '.join(counts)} ({extent}); -v shows {shown}", view, indent=0, hang=2)
        for remark, count in self._remarks.most_common(_MOST_REMARKS):
            among = f" (in {plural(count, 'run')})" if self._runs > 1 else ""
            yield from paragraph(f"{remark}{among}", view, indent=2, hang=2)
        if len(self._remarks) > _MOST_REMARKS:
            yield line(f"  ... and {plural(len(self._remarks) - _MOST_REMARKS, 'more remark')}; -v shows them")
        if self._checkpoints:
            count = len(self._checkpoints)
            shown = "it" if count == 1 else "them"
            counted = f"{plural(count, 'clean checkpoint')} ({plural(self._tensors, 'tensor')})"
            yield line()
            yield line(f"{counted}; -v shows {shown}")
            for row in self._checkpoints[:_MOST_CHECKPOINTS]:
                yield from paragraph(row, view, indent=2, hang=2)
            if count > _MOST_CHECKPOINTS:
                yield line(f"  ... and {plural(count - _MOST_CHECKPOINTS, 'more checkpoint')}")
        if self._silent:
            yield line()
            yield line(f"{plural(self._silent, 'run')} not audited; -v says why")
