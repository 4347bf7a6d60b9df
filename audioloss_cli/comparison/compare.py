"""Two sides to their differences, run by run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from audioloss_cli.comparison.model import Entry, RunSide, Settings, Side
from audioloss_cli.comparison.parting import Parting, parting_of
from audioloss_cli.comparison.settings import HIDDEN, is_secret
from audioloss_cli.model import Gate
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED


class Setting(NamedTuple):
    """A setting that differs; None on the side that has none of that name."""

    file: str
    key: str
    a: str | None
    b: str | None


class Changed(NamedTuple):
    """A finding of both sides, as each has it."""

    a: Entry
    b: Entry


@dataclass(slots=True)
class RunPair:
    """One run of each side.

    Attributes:
        a, b: the runs.
        partings: by tag, of what both have the points of; None where they have no steps in common.
        only_a, only_b: tags of one side alone.
        new, gone: what was found in one of the two alone.
        same: what was found in both, whatever it came to.
        settings: that differ.
        files_of_one: configuration files that lie beside one of the two alone, with its name.
    """

    a: RunSide
    b: RunSide
    partings: dict[str, Parting | None] = field(default_factory=dict)
    only_a: list[str] = field(default_factory=list)
    only_b: list[str] = field(default_factory=list)
    new: list[Entry] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    same: list[Changed] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    files_of_one: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """All that differs between two sides.

    Attributes:
        a, b: the sides.
        pairs: runs of both; two single runs are a pair whatever they are called.
        only_a, only_b: runs of one side alone.
    """

    a: Side
    b: Side
    pairs: list[RunPair]
    only_a: list[RunSide]
    only_b: list[RunSide]

    def new(self) -> list[Entry]:
        """Return what was found in B and not in A."""
        return [*(each for pair in self.pairs for each in pair.new), *(e for run in self.only_b for e in run.entries)]

    def exit_code(self, gate: Gate) -> int:
        """1 if something in B is new or worse, at or above the gate; 3 if a side was not read in full; else 0."""
        worse = [each.b for pair in self.pairs for each in pair.same if each.b.severity.rank > each.a.severity.rank]
        if any(gate.fails(each.severity) for each in [*self.new(), *worse] if each.standing == "found"):
            return FINDINGS
        return CLEAN if self.a.is_complete and self.b.is_complete else NOT_AUDITED

    @property
    def files(self) -> list[Path]:
        """Every file that was read for it."""
        return [Path(file) for side in (self.a, self.b) for file in side.files]


def compare(a: Side, b: Side) -> Comparison:
    """Return what differs between two sides."""
    if len(a.runs) == len(b.runs) == 1:
        return Comparison(a, b, [_pair(a.runs[0], b.runs[0])], [], [])
    others = {run.identity: run for run in b.runs}
    pairs = [_pair(run, others.pop(run.identity)) for run in a.runs if run.identity in others]
    paired = {id(pair.a) for pair in pairs}
    return Comparison(a, b, pairs, [run for run in a.runs if id(run) not in paired], list(others.values()))


def _pair(a: RunSide, b: RunSide) -> RunPair:
    pair = RunPair(a, b)
    pair.only_a = [tag for tag in a.curves if tag not in b.curves]
    pair.only_b = [tag for tag in b.curves if tag not in a.curves]
    for tag, curve in a.curves.items():
        other = b.curves.get(tag)
        if curve is not None and other is not None:
            pair.partings[tag] = parting_of(curve, other)
    before, after = {each.place: each for each in a.entries}, {each.place: each for each in b.entries}
    pair.new = [each for place, each in after.items() if place not in before]
    pair.gone = [each for place, each in before.items() if place not in after]
    pair.same = [Changed(each, after[place]) for place, each in before.items() if place in after]
    if pair.a.settings is not None and pair.b.settings is not None:
        _compare_settings(pair, pair.a.settings, pair.b.settings)
    return pair


def _compare_settings(pair: RunPair, a: Settings, b: Settings) -> None:
    for file, keys in a.items():
        if file in b:
            pair.settings += _differing(file, keys, b[file])
    pair.files_of_one = [(file, pair.a.name) for file in a if file not in b]
    pair.files_of_one += [(file, pair.b.name) for file in b if file not in a]


def _differing(file: str, a: Mapping[str, str], b: Mapping[str, str]) -> list[Setting]:
    """Return the settings of one file that differ, by key; of a secret no more than that it does."""
    found = [Setting(file, key, a.get(key), b.get(key)) for key in sorted({*a, *b}) if a.get(key) != b.get(key)]
    return [each._replace(a=_hidden(each.a), b=_hidden(each.b)) if is_secret(each.key) else each for each in found]


def _hidden(value: str | None) -> str | None:
    return None if value is None else HIDDEN
