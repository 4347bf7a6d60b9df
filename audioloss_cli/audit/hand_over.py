"""Finished runs are handed over in the order of their names, each as soon as no earlier name can come any more."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from audioloss_cli.model import RunReport
from audioloss_cli.runs.group import RunGroup

Finished = Callable[[RunReport], None]


def by_first_name(groups: Iterable[RunGroup]) -> list[RunGroup]:
    """Return the groups in the order of the first name that a run of each can have."""
    return sorted(groups, key=first_name)


def first_name(group: RunGroup) -> str:
    """Return the first name that a run of a group can have.

    Runs are called as a source, as a source and what follows it, or as the directory that several sources share.
    """
    names = [source.run for source in group.sources]
    return min(names if len(names) == 1 else [group.directory, *names])


class HandOver:
    """Takes runs in the order of their groups, gives them on in the order of their names.

    Args:
        groups: in the order in which they will be finished, which is that of ``by_first_name``.
        finished: is given each run; from then on its envelopes are one part a segment. With None runs are kept whole.

    Attributes:
        runs: those that were handed over.
    """

    def __init__(self, groups: Sequence[RunGroup], finished: Finished | None) -> None:
        self.runs: list[RunReport] = []
        self._finished = finished
        self._bounds = iter([first_name(group) for group in groups[1:]])
        self._waiting: list[tuple[str, str, int, RunReport]] = []
        self._number = count()

    def add(self, runs: Iterable[RunReport]) -> None:
        """Take the runs of the next group, and hand over those that come before all runs of later groups."""
        for run in runs:
            heapq.heappush(self._waiting, (run.run, run.format, next(self._number), run))
        bound = next(self._bounds, None)
        while self._waiting and (bound is None or self._waiting[0][0] < bound):
            run = heapq.heappop(self._waiting)[-1]
            self.runs.append(run)
            if self._finished is not None:
                self._finished(run)
                run.drop_curves()
