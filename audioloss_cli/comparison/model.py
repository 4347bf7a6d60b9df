"""What is compared: two sides, each with its runs, and of each run its findings, its curves and its settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audioloss_cli.model import Severity

#: Settings by name of the file, then by key.
Settings = Mapping[str, Mapping[str, str]]


class Place(NamedTuple):
    """By what a finding of one run is known again in another: its fingerprint is made of this and the run's name."""

    group: str
    tag: str
    segment: int
    ordinal: int


class Entry(NamedTuple):
    """An incident of a series, or a finding about a run.

    Attributes:
        place: by which it is known again.
        code, severity, message, standing: see ``Incident``.
        step: the first one; None for a finding about the run.
        fingerprint: empty in reports that have none.
    """

    place: Place
    code: str
    severity: Severity
    message: str
    standing: str = "found"
    step: int | None = None
    fingerprint: str = ""


class Curve(NamedTuple):
    """All points of a series, in the order of the log."""

    steps: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class RunSide:
    """One run of a side.

    Attributes:
        name: as the user would type it.
        identity: relative to the side; see ``RunReport``.
        entries: what was found in it, in order.
        curves: by tag; of a report None, since it holds no points.
        settings: of the configuration files beside it; of a report None.
    """

    name: str
    identity: str
    entries: list[Entry]
    curves: Mapping[str, Curve | None]
    settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """What one argument leads to.

    Attributes:
        name: the argument.
        runs: in order.
        is_report: whether it is a report and no logs.
        problems: what could not be audited, or not in full, a sentence each.
        is_complete: whether none of them keeps the comparison from being complete.
        files: that were read for it.
    """

    name: str
    runs: list[RunSide]
    is_report: bool = False
    problems: Sequence[str] = ()
    is_complete: bool = True
    files: Sequence[str] = ()
