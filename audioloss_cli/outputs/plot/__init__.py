"""Curves in the terminal: one chart a tag, the runs over each other, with axes, a log scale and alert rows."""

from collections.abc import Iterable, Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Report, RunReport, View
from audioloss_cli.outputs._verdict import broken_runs, damaged, left_out, sentence, word
from audioloss_cli.outputs.plot.chart import LETTERS, Drawn, chart, drawn

_MOST_CHARTS = 12


class Output(outputs.Output):
    """The charts stand at the end, since all runs of a tag share one; the broken runs and the verdict follow."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._series = dict[str, list[Drawn]]()
        self._more_tags = set[str]()
        self._more_runs = dict[str, int]()

    def run(self, run: RunReport) -> Iterable[str]:
        """Keep what the charts need of a run."""
        for item in run.series:
            if item.tag not in self._series and len(self._series) >= _MOST_CHARTS:
                self._more_tags.add(item.tag)
                continue
            kept = self._series.setdefault(item.tag, [])
            if len(kept) < len(LETTERS):
                kept.append(drawn(run.run, item, self.view))
            else:
                self._more_runs[item.tag] = self._more_runs.get(item.tag, 0) + 1
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield the charts and the verdict."""
        for tag, series in self._series.items():
            yield "".join(f"{line}\n" for line in chart(tag, series, self.view))
            if tag in self._more_runs:
                yield f"  ... and {self._more_runs[tag]:,} more runs, which are not drawn; name fewer of them\n"
            yield "\n"
        if self._more_tags:
            yield f"... and {len(self._more_tags):,} more tags, which are not drawn; choose with --tag\n\n"
        for line in [*map(str, broken_runs(report)), *damaged(report), *left_out(report)]:
            yield f"{self.shown(line)}\n"
        yield f"{self.shown(word(report) + sentence(report))}\n"
