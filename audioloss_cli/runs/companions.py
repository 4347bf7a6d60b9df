"""What stands beside a series: the other series of its run that some rules compare it with, aligned by step."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import nlargest
from itertools import islice, takewhile
from typing import Any

from audioloss_cli.model import Series
from audioloss_cli.model.point import CODEBOOK, EPOCH, GRAD_NORM, LEARNING_RATE, OWN_CODEBOOK, REWARD, TEXT, TOTAL
from audioloss_cli.naming import Role, Tag, classify
from audioloss_cli.runs.align import aligned
from audioloss_cli.runs.run_files import RunFiles

# A series that has a value at few of the points says nothing by having none.
_LEAST_SHARE = 0.5
_MOST_OF_A_KIND = 100  # more bear no other witness, and work on tags stays linear
_MOST_BEYOND = 100  # what so many series do not show of the run's end, no other one does

_ALWAYS = {Role.GRAD_NORM: GRAD_NORM, Role.EPOCH: EPOCH, Role.LEARNING_RATE: LEARNING_RATE}
_OF_TRAINING = {Role.REWARD: REWARD, Role.TEXT: TEXT}


class RunTags:
    """The series of one run by what their names say; made once, so that work on tags is linear in their number.

    Args:
        run: all series of the run.
        names: each tag, and the name by which to judge it.
        files: gives what the files beside the log say, read when it is asked for.

    Attributes:
        tags: what the name of each series says.
        has_rewards: whether rewards are logged.
        names_audio: whether audio is named anywhere.
    """

    def __init__(
        self, run: Sequence[Series], names: Mapping[str, str], files: Callable[[], RunFiles] = RunFiles
    ) -> None:
        self.run, self.files = run, files
        self.tags: dict[str, Tag] = {series.tag: classify(names[series.tag]) for series in run}
        self.has_rewards: bool = any(tag.role is Role.REWARD for tag in self.tags.values())
        self.names_audio = any(tag.names_audio for tag in self.tags.values())
        self._families: dict[str, list[Series]] = {}
        self._by_role: dict[str, list[Series]] = {}
        self._of_role: dict[Role, Series] = {}
        self._of: dict[str, Sequence[Series]] = {}
        for series in run:
            tag = self.tags[series.tag]
            if tag.codebook is not None:
                self._families.setdefault(tag.family, []).append(series)
            if len(series):
                self._of_role.setdefault(tag.role, series)
            if name := companion_of(tag):
                self._by_role.setdefault(name, []).append(series)
        self._by_role.get(TOTAL, []).sort(key=lambda series: not self.tags[series.tag].says_total)

    def of(self, what: str, is_it: Callable[[Tag], bool]) -> Sequence[Series]:
        """Return the series whose tag is of a kind, the first 100 of them; each kind is looked for once.

        Args:
            what: name of the kind.
            is_it: whether a tag is of it.
        """
        if what not in self._of:
            found = (series for series in self.run if is_it(self.tags[series.tag]))
            self._of[what] = list(islice(found, _MOST_OF_A_KIND))
        return self._of[what]

    @cached_property
    def codebooks_logged(self) -> int:
        """How many codebooks have a loss of their own."""
        return len({tag.codebook for tag in self.tags.values() if tag.codebook is not None and tag.role.is_loss})

    def beyond(self, step: int) -> Iterator[Series]:
        """Give the series of the run whose last step is above this one, the last to end first, at most 100 of them."""
        return takewhile(lambda series: series.steps[-1] > step, self._by_end)

    @cached_property
    def _by_end(self) -> Sequence[Series]:
        return nlargest(_MOST_BEYOND, (series for series in self.run if len(series)), key=lambda each: each.steps[-1])

    def companion(self, name: str, of: Series) -> Series | None:
        """Return the series that stands beside another one under this name, the surest first; None if none does."""
        return next((series for series in self._by_role.get(name, ()) if series.tag != of.tag), None)

    def of_role(self, role: Role) -> Series | None:
        """Return the first series of a role that has points; None if there is none."""
        return self._of_role.get(role)

    def family(self, series: Series) -> Sequence[Series]:
        """Return the losses of all codebooks of its family, itself among them; none if it is of no codebook."""
        return self._families.get(self.tags[series.tag].family, ()) if self.tags[series.tag].family else ()


def companion_of(tag: Tag) -> str:
    """Return the name under which a series of this tag stands beside an audio loss of its run; empty if it does not."""
    if tag.role in _ALWAYS:
        return _ALWAYS[tag.role]
    if tag.held_out:
        return ""
    if tag.role in _OF_TRAINING:
        return _OF_TRAINING[tag.role]
    return TOTAL if tag.role is Role.TRAINING and not tag.part and tag.codebook is None else ""


def companions(series: Series, tags: RunTags, *, arrays: bool = False) -> dict[str, Sequence[float]]:
    """Columns for ``AudioLossMonitor.replay``, float64, ``MISSING`` where the other series has no value.

    Args:
        series: the audited one.
        tags: all series of its run.
        arrays: importing numpy is worth it, however short they are.
    """
    own = tags.tags[series.tag]
    wanted = [GRAD_NORM, EPOCH] if own.held_out else [GRAD_NORM, EPOCH, LEARNING_RATE, REWARD]
    if own.codebook is None and not own.held_out:
        wanted += [TEXT, TOTAL]
    found = {name: other for name in wanted if (other := tags.companion(name, series)) is not None}
    columns = {name: aligned(series, other, _LEAST_SHARE, arrays=arrays) for name, other in found.items()}
    if own.codebook is not None:
        columns |= _siblings(series, own.codebook, tags, arrays=arrays)
    return {name: column for name, column in columns.items() if column is not None}


class _Constant(Sequence[float]):
    """One value at every point; its slices are arrays."""

    def __init__(self, value: float, count: int) -> None:
        self._value, self._count = float(value), count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        places = range(self._count)[index]
        return self._value if isinstance(places, int) else array("d", [self._value]) * len(places)


def siblings_of(series: Series, tags: RunTags) -> list[Series]:
    """Return the losses of the other codebooks of the family, if the series is of one."""
    return [other for other in tags.family(series) if other.tag != series.tag]


def codebooks_of(series: Series, tags: RunTags) -> int:
    """Return over how many codebooks a loss may be a sum, as configured or as logged beside it; 0 for not known."""
    if tags.tags[series.tag].codebook is not None:
        return 1
    return tags.files().codebooks or (tags.codebooks_logged if tags.codebooks_logged > 1 else 0)


def _siblings(series: Series, number: int, tags: RunTags, *, arrays: bool) -> dict[str, Sequence[float] | None]:
    """Return the losses of all codebooks of the family; there are at most 100 numbers of one."""
    columns: dict[str, Sequence[float] | None] = {OWN_CODEBOOK: _Constant(number, len(series))}
    for other in tags.family(series):
        columns[f"{CODEBOOK}{tags.tags[other.tag].codebook}"] = aligned(series, other, least=0.0, arrays=arrays)
    return columns
