"""Which sources may be of one run, by where they lie; whether they are, their numbers say (``same_run.py``)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath

from audioloss_cli.runs.discover import Source

# Directories that trainers and trackers make inside of a run directory; what lies in them may be of the run above.
_INNER = frozenset(
    re.findall(
        r"\S+",
        """
        log logs logging runs tensorboard tb tb_logs tblogs tf_logs tensorboard_logs events scalars metrics
        files summaries summary lightning_logs csv_logs wandb mlruns mlflow train eval val trackio .trackio
        output_logs
        """,
    )
)
# ... and directories below those, one for each launch: version_0, Nov30_12-00-00_host, offline-run-x, 0/abc of MLflow.
_LAUNCHES = frozenset(
    re.findall(
        r"\S+",
        """
        runs lightning_logs csv_logs wandb mlruns mlflow tensorboard tb tb_logs tblogs logs
        """,
    )
)
_CHECKPOINT = re.compile(r"checkpoint[-_]?\d+|epoch[-_=]?\d+.*|step[-_=]?\d+.*|global_step_?\d+", re.IGNORECASE)
_DEEPEST = 4
# So many logs of one format in one directory are logs of so many runs.
_MOST_ALIKE = 32


@dataclass(slots=True)
class RunGroup:
    """Sources that may be of one run.

    Attributes:
        directory: that they have in common.
        sources: one if nothing lies beside it.
    """

    directory: str
    sources: list[Source] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the first source, for a progress bar."""
        return self.sources[0].run

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(source.bytes for source in self.sources)

    @property
    def bounded(self) -> bool:
        """Whether that is all there is to read; of a pipe nobody knows."""
        return all(source.bounded for source in self.sources)


def grouped(sources: Sequence[Source]) -> list[RunGroup]:
    """Return the sources in groups, in the order of their first sources.

    A source belongs to the highest directory that holds a source itself and has nothing but inner directories of a run
    between the two. Several files of one format in one directory, and nothing of another format, are several runs.
    """
    places = [_directory(source) for source in sources]
    held = set(places)
    groups: dict[str, RunGroup] = {}
    for source, place in zip(sources, places, strict=True):
        home = next((above for above in reversed([place, *_above(place)]) if above in held), place)
        groups.setdefault(home, RunGroup(home)).sources.append(source)
    return [part for group in groups.values() for part in _divided(group)]


def _directory(source: Source) -> str:
    run = PurePosixPath(source.run)
    return str(run if source.in_directory else run.parent)


def _above(place: str) -> Iterator[str]:
    """Yield the directories above, as long as what lies between is the inside of a run."""
    path = PurePosixPath(place)
    for _ in range(_DEEPEST):
        above = path.parent
        if above == path or not is_inner(path):
            return
        yield str(above)
        path = above


def is_inner(path: PurePath) -> bool:
    """Tell whether trainers make a directory of this name inside of a run, or for one launch of it."""
    names = [part.lower() for part in (path.name, path.parent.name, path.parent.parent.name)]
    return names[0] in _INNER or bool(_CHECKPOINT.fullmatch(names[0])) or not _LAUNCHES.isdisjoint(names[1:])


def _divided(group: RunGroup) -> Iterator[RunGroup]:
    """Yield the group, or its sources one by one where they can be of no run in common."""
    alike = Counter(source.reader for source in group.sources)
    many = {reader for reader, count in alike.items() if count > _MOST_ALIKE}
    kept = [source for source in group.sources if source.reader not in many or source.in_directory]
    apart = [source for source in group.sources if source not in kept]
    if len({source.reader for source in kept}) < 2 and not any(source.in_directory for source in kept):  # noqa: PLR2004
        kept, apart = [], group.sources
    if kept:
        yield RunGroup(group.directory, kept)
    for source in apart:
        yield RunGroup(_directory(source), [source])
