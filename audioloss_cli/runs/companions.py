"""What stands beside a series: the other series of its run that some rules compare it with, aligned by step."""

import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from audioloss_cli.model import Series
from audioloss_cli.model.point import CODEBOOK, EPOCH, GRAD_NORM, OWN_CODEBOOK, TEXT, TOTAL
from audioloss_cli.naming.tag_words import is_held_out, words
from audioloss_cli.runs.align import aligned

_GRAD_NORM = re.compile(r"\b(?:grad|gradient)s? norms?$")
_EPOCH = re.compile(r"(?:^|train )epochs?$")
_TEXT = re.compile(r"^(?:(?:train|training|losses|loss) )?(?:text|llm)(?: (?:loss|ce))?$")
_TOTAL = re.compile(r"\b(?:total|combined|overall)\b")
_PLAIN_LOSS = re.compile(r"(?:(?:train|training|loss) )*loss$")
_NO_TOTAL = 2
_CODEBOOK = re.compile(r"\b(?:codebook|codebooks|cb|quantizer|rvq|vq|c|q)(?: (?:loss|losses))? (\d+)\b")
# A series that has a value at few of the points says nothing by having none.
_LEAST_SHARE = 0.5
_MOST_DIGITS = 2  # of the number of a codebook; loss_vq_1024 names a size


class Member(NamedTuple):
    """A series of one codebook: what its name has in common with the others, and its number."""

    family: str
    number: int


def beside(series: Series, run: Sequence[Series], names: Mapping[str, str]) -> dict[str, Sequence[float]]:
    """Columns for ``AudioLossMonitor.replay``, float64, ``MISSING`` where the other series has no value.

    Args:
        series: the audited one.
        run: all series of its run.
        names: each tag of the run, and the name by which to judge it.
    """
    member = codebook_of(names[series.tag])
    ranked = sorted((other for other in run if other.tag != series.tag), key=lambda other: _rank(names[other.tag]))
    others = {_role(names[other.tag]): other for other in reversed(ranked)}
    wanted = {name: others[name] for name in (GRAD_NORM, EPOCH) if name in others}
    if member is None and not is_held_out(names[series.tag]):
        wanted |= {name: others[name] for name in (TEXT, TOTAL) if name in others}
    columns = {name: aligned(series, other, _LEAST_SHARE) for name, other in wanted.items()}
    if member is not None:
        columns |= _siblings(series, member, run, names)
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


def stands_beside(name: str) -> bool:
    """Whether a series of this name may stand beside another one."""
    return bool(_role(name)) or codebook_of(name) is not None


def siblings_of(series: Series, run: Sequence[Series], names: Mapping[str, str]) -> list[Series]:
    """The losses of the other codebooks of the family, if the series is of one."""
    member = codebook_of(names[series.tag])
    if member is None:
        return []
    kin = [(other, codebook_of(names[other.tag])) for other in run if other.tag != series.tag]
    return [other for other, each in kin if each is not None and each.family == member.family]


def codebook_of(name: str) -> Member | None:
    """Which codebook a series is of, by its name; None if it is of none in particular."""
    spoken = words(name)
    found = _CODEBOOK.search(spoken)
    if not found or len(found[1]) > _MOST_DIGITS:
        return None
    return Member(spoken[: found.start(1)] + "#" + spoken[found.end(1) :], int(found[1]))


def _siblings(
    series: Series, member: Member, run: Sequence[Series], names: Mapping[str, str]
) -> dict[str, Sequence[float] | None]:
    """The losses of all codebooks of the family."""
    columns: dict[str, Sequence[float] | None] = {OWN_CODEBOOK: _Constant(member.number, len(series))}
    for other in run:
        kin = codebook_of(names[other.tag])
        if kin is not None and kin.family == member.family:
            columns[f"{CODEBOOK}{kin.number}"] = aligned(series, other, least=0.0)
    return columns


def _role(name: str) -> str:
    """What a series is to an audio loss of its run; empty if nothing."""
    spoken = words(name)
    if _GRAD_NORM.search(spoken):
        return GRAD_NORM
    if _EPOCH.search(spoken):
        return EPOCH
    if is_held_out(name):
        return ""
    if _TEXT.search(spoken):
        return TEXT
    return TOTAL if _rank(name) < _NO_TOTAL else ""


def _rank(name: str) -> int:
    """How sure a name is to be that of the total loss: one that says so before a mere ``train/loss``."""
    spoken = words(name)
    if _TOTAL.search(spoken) and "loss" in spoken:
        return 0
    return 1 if _PLAIN_LOSS.match(spoken) else _NO_TOTAL
