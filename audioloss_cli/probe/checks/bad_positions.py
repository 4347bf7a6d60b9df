"""The starts of the audio segments are wrong.

What: The starts of the segments within the concatenated codes do not begin at 0, fall, or point behind the last
column; or a BOS stands in codebook 0 inside a segment. Reference audio is held to the same, and its last segment to
ending with EOS if all others do.

Why: Each segment is cut out between its start and the next: wrong starts put audio of one segment, or of one sample,
in the place of another.

Fix: Let the collator add up the lengths of the segments in the order in which it concatenates them: 0, then each
start plus the length before it.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """For families that concatenate their segments."""
    layout, starts, columns = evidence.layout, _starts(evidence), evidence.audio.codes
    if starts is not None and columns is not None and len(columns):
        yield from _problems("the segments", starts.tolist(), columns, layout.bos)
    given = _reference(evidence)
    if given is not None and layout.reference is not None:
        name = f"the segments of {layout.reference.codes}"
        wrong = list(_problems(name, *given, layout.bos))
        yield from wrong or _cut_off(name, *given, layout.eos)


def passed(evidence: Evidence) -> str:
    """How many there are."""
    starts, columns = _starts(evidence), evidence.audio.codes
    return "" if starts is None or columns is None or not len(columns) else f"{len(starts)} segments start in order"


def _starts(evidence: Evidence) -> Tensor | None:
    item = evidence.layout.named("positions")
    found = evidence.batch.get(item.name) if item is not None and item.required else None
    return found if isinstance(found, Tensor) and _are_places(found) else None


def _reference(evidence: Evidence) -> tuple[list[int], Tensor] | None:
    """Starts and columns [N, K] of audio that is given; None if there is none."""
    given = evidence.layout.reference
    if given is None:
        return None
    codes, starts = evidence.batch.get(given.codes), evidence.batch.get(given.starts)
    if not isinstance(codes, Tensor) or codes.ndim != len("KT") or not codes.numel():
        return None
    return (starts.tolist(), codes.T) if isinstance(starts, Tensor) and _are_places(starts) else None


def _are_places(starts: Tensor) -> bool:
    return starts.ndim == 1 and len(starts) > 0 and not starts.is_floating_point()


def _problems(name: str, starts: list[int], columns: Tensor, bos: int | None) -> Iterator[Problem]:
    wrong = _complaint(starts, len(columns)) or _begun_inside(starts, columns, bos)
    if wrong:
        yield Problem(Severity.CRITICAL, f"{name} start at {listed(starts)}, but {wrong}", {"starts": starts[:100]})


def _complaint(starts: list[int], columns: int) -> str:
    if starts[0] != 0:
        return "the first must start at 0"
    if any(after <= before for before, after in pairwise(starts)):
        return "each must start behind the one before"
    return f"there are only {columns} columns" if starts[-1] >= columns else ""


def _begun_inside(starts: list[int], columns: Tensor, bos: int | None) -> str:
    """BOS may be repeated, as padding on the left; it may not follow a code."""
    if bos is None or not columns.shape[1]:
        return ""
    begins = columns[:, 0] == bos
    follows = torch.zeros_like(begins)
    follows[1:] = begins[1:] & ~begins[:-1]
    follows[starts] = False
    return f"codebook 0 has BOS at column {int(follows.int().argmax())}, inside one" if bool(follows.any()) else ""


def _cut_off(name: str, starts: list[int], columns: Tensor, eos: int | None) -> Iterator[Problem]:
    """With the delay pattern or without, EOS is the last id of the last codebook."""
    ends = [int(columns[last - 1, -1]) == eos for last in [*starts[1:], len(columns)]]
    if len(ends) > 1 and all(ends[:-1]) and not ends[-1]:
        yield Problem(
            Severity.WARNING,
            f"{name} end with EOS, but for the last, which ends at column {len(columns)}: it is cut off",
            {"starts": starts[:100], "columns": len(columns)},
        )
