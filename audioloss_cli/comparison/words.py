"""A comparison in words, and its most telling lines first."""

import math
from collections.abc import Iterator, Sequence

from audioloss_cli.comparison.compare import Comparison, RunPair, Setting
from audioloss_cli.comparison.model import Entry, RunSide, Side
from audioloss_cli.comparison.parting import Parting

_MOST = 40  # of one kind in a run; the JSON document has all
_MOST_STRETCHES = 3


def lines(found: Comparison, exit_code: int) -> Iterator[str]:
    """Yield what a comparison says, as lines without escapes: names are strangers'."""
    yield f"A: {_side(found.a)}"
    yield f"B: {_side(found.b)}"
    for side, name in ((found.a, "A"), (found.b, "B")):
        yield from _most([f"not compared in {name}: {problem}" for problem in side.problems])
    silent = 0
    for pair in found.pairs:
        said = list(_pair(pair))
        silent += not said
        if said:
            yield ""
            yield f"{pair.a.name} -> {pair.b.name}"
            yield from (f"  {line}" for line in said)
    if silent:
        yield ""
        yield f"{silent:,} pair{'' if silent == 1 else 's'} of runs with nothing to tell"
    yield from _alone(found.only_a, "A", "GONE")
    yield from _alone(found.only_b, "B", "NEW")
    yield ""
    yield f"{_verdict(found)} (exit {exit_code})"


def _side(side: Side) -> str:
    count = len(side.runs)
    return f"{side.name} ({'report, ' if side.is_report else ''}{count:,} run{'' if count == 1 else 's'})"


def _verdict(found: Comparison) -> str:
    gone = sum(len(pair.gone) for pair in found.pairs) + sum(len(run.entries) for run in found.only_a)
    same = sum(len(pair.same) for pair in found.pairs)
    text = f"{len(found.new()):,} new, {gone:,} gone, {same:,} the same"
    if found.a.is_report or found.b.is_report:
        return f"{text}; a report holds no curves and no settings: compare the runs for these"
    return text


def _alone(runs: Sequence[RunSide], name: str, word: str) -> Iterator[str]:
    for run in runs[:_MOST]:
        yield ""
        yield f"{run.name}: only in {name}"
        yield from (f"  {line}" for line in _most([_entry(word, each) for each in run.entries]))
    if len(runs) > _MOST:
        yield f"... and {len(runs) - _MOST:,} more runs only in {name}"


def _pair(pair: RunPair) -> Iterator[str]:
    for tag, parting in pair.partings.items():
        yield from _parting(tag, parting)
    for tags, name in ((pair.only_a, "A"), (pair.only_b, "B")):
        yield from _most([f"{tag}: only in {name}" for tag in tags])
    yield from _most([_entry("NEW", each) for each in pair.new])
    yield from _most([_entry("GONE", each) for each in pair.gone])
    yield from _most([_changed(each.a, each.b) for each in pair.same])
    yield from _most([_setting(each) for each in pair.settings])
    yield from _most([f"{file} lies beside {run} alone" for file, run in pair.files_of_one])


def _most(found: Sequence[str]) -> Iterator[str]:
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield f"... and {len(found) - _MOST:,} more; --report json has all"


def _parting(tag: str, parting: Parting | None) -> Iterator[str]:
    if parting is None:
        yield f"{tag}: no steps in common"
        return
    how = ", B interpolated at the steps of A" if parting.interpolated else ""
    if parting.first_difference is None:
        yield f"{tag}: the same at all {parting.steps:,} steps{how}"
        return
    a, b = parting.values
    yield (
        f"{tag}: first differs at step {parting.first_difference:,}: {_number(a)} and {_number(b)} "
        f"({parting.steps:,} steps compared{how})"
    )
    for at, stretch in enumerate(parting.stretches[-_MOST_STRETCHES:], 1):
        last = at == len(parting.stretches[-_MOST_STRETCHES:])
        steps = f"at step {stretch.first_step:,}, to the end"
        if not (last and parting.stays_apart):
            steps = f"from step {stretch.first_step:,} to {stretch.last_step:,}"
        yield f"  apart {steps}: {_number(stretch.a)} and {_number(stretch.b)} in the middle"
    if not parting.stretches:
        yield "  never apart by more than their noise"
    yield f"  ends at {_number(parting.ends[0])} and {_number(parting.ends[1])}"


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def _entry(word: str, entry: Entry) -> str:
    where = "" if entry.step is None else f" at step {entry.step:,}"
    tag = f" in {entry.place.tag}" if entry.place.tag else ""
    standing = "" if entry.standing == "found" else f" ({entry.standing})"
    name = f" [{entry.fingerprint}]" if entry.fingerprint else ""
    return f"{word} {str(entry.severity).upper()} {entry.code}{where}{tag}{name}{standing}: {entry.message}"


def _changed(a: Entry, b: Entry) -> str:
    if (a.code, a.severity) == (b.code, b.severity):
        return _entry("SAME", b)
    return f"{_entry('SAME', b)} (was {a.severity} {a.code})"


def _setting(setting: Setting) -> str:
    a, b = ("(not set)" if value is None else value for value in (setting.a, setting.b))
    return f"{setting.file} {setting.key}: {a} -> {b}"
