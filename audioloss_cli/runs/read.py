"""From groups of sources to runs: every file read once, sources whose numbers agree put together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from audioloss_cli import registry
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Defect, Note, Series
from audioloss_cli.runs.discover import Source
from audioloss_cli.runs.gather import Gathered
from audioloss_cli.runs.group import RunGroup
from audioloss_cli.runs.merge import Clusters, MergedRun
from audioloss_cli.runs.readings import readings
from audioloss_cli.runs.same_run import Unit

if TYPE_CHECKING:
    from audioloss_cli.readers import Reader

_SEPARATOR = "\0"  # no name of a run inside a source holds one


@dataclass(slots=True)
class ReadRun:
    """One run with all its series.

    Attributes:
        name: as the user would type it.
        sources: what it was read from, the most precise first.
        merged: its series; None if there are none.
        defects: of its files.
        details: what -v shows of how it was read.
    """

    name: str
    sources: list[Source]
    merged: MergedRun | None
    defects: list[Defect] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def read_runs(
    groups: Sequence[RunGroup], config: ScanConfig, *, arrays: bool, directory: str | None
) -> Iterator[Iterator[ReadRun]]:
    """Yield the runs of each group; those of one are to be gone through before the next group is asked for.

    Args:
        groups: what to read.
        config: what is wanted of it.
        arrays: importing numpy is worth it, however small each source is.
        directory: where what does not fit into memory is kept for another process; see ``SpillFile``.

    Raises:
        SpillError: it does not fit there.
    """
    files = readings([source for group in groups for source in group.sources], config, arrays=arrays)
    for group in groups:
        if len(group.sources) == 1:
            source, items = next(files)
            yield _alone(source, items, directory)
        else:
            yield _together(group, files, directory)


def _alone(source: Source, items: Iterable[Series | Defect | Note], directory: str | None) -> Iterator[ReadRun]:
    """Yield several runs if the format keeps several in one file, at least one in any case."""
    gathered, defects, details = Gathered(directory), list[Defect](), list[str]()
    _gather(gathered, items, defects, details)
    runs = gathered.runs
    if not runs:
        yield ReadRun(source.run, [source], None, defects, details)
    for place, run in enumerate(runs):
        series = {each.tag: each for each in gathered.pop(run)}
        yield ReadRun(_named(source, run), [source], MergedRun([], series), [] if place else defects, details)


def _gather(
    gathered: Gathered,
    items: Iterable[Series | Defect | Note],
    defects: list[Defect],
    details: list[str],
    mark: str = "",
) -> None:
    for item in items:
        if isinstance(item, Defect):
            defects.append(item)
        elif isinstance(item, Note):
            details.append(item.message)
        else:
            gathered.add(replace(item, run=mark + item.run) if mark else item)


def _named(source: Source, run: str) -> str:
    return f"{source.run}/{run}" if run else source.run


def _together(
    group: RunGroup, files: Iterator[tuple[Source, Iterator[Series | Defect | Note]]], directory: str | None
) -> Iterator[ReadRun]:
    """Yield the runs of sources that may be of one run."""
    gathered, clusters = Gathered(directory), Clusters()
    owners: dict[int, Source] = {}
    defects: dict[int, list[Defect]] = {}
    details: dict[int, list[str]] = {}
    empty = list[Source]()
    for number in range(len(group.sources)):
        source, items = next(files)
        found = defects.setdefault(id(source), [])
        mark = f"{number}{_SEPARATOR}"
        _gather(gathered, items, found, details.setdefault(id(source), []), mark)
        units = [run for run in gathered.runs if run.startswith(mark)]
        if not units:
            empty.append(source)
        for run in units:
            series = {each.tag: replace(each, run="") for each in gathered.pop(run)}
            unit = _unit(source, run.partition(_SEPARATOR)[2], series)
            owners[id(unit.series)] = source
            clusters.add(unit)
    taken = set[str]()
    for merged in clusters.merged():
        sources = list({id(owner): owner for unit in merged.units if (owner := owners.get(id(unit.series)))}.values())
        name = _name_of(group, merged, taken)
        taken.add(name)
        own = [defect for source in sources for defect in defects.pop(id(source), [])]
        said = [detail for source in sources for detail in details.pop(id(source), [])]
        yield ReadRun(name, sources, merged, own, said)
    for source in empty:
        yield ReadRun(source.run, [source], None, defects.pop(id(source), []), details.pop(id(source), []))


def _unit(source: Source, run: str, series: dict[str, Series]) -> Unit:
    reader = cast("Reader", registry.load("readers", source.reader))
    return Unit(_named(source, run), source.label, reader.ORDER, series)


def _name_of(group: RunGroup, merged: MergedRun, taken: set[str]) -> str:
    """The directory that the sources have in common, once; else the name of the most precise one."""
    several = len({unit.name for unit in merged.units}) > 1
    return group.directory if several and group.directory not in taken else merged.units[0].name
