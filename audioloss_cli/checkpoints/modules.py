"""Tensors of a checkpoint, taken together by the module that they are of."""

import math
from collections import defaultdict
from collections.abc import Iterable

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.weights import faulty_names
from audioloss_cli.model.checkpoint_report import ModuleSummary

_DEPTHS = (3, 2, 1)  # parts of a name in front of a number of a layer that are told apart
_MOST = 200  # modules; more than that nobody reads
_OTHERS = "(others)"


def summaries(evidence: CheckpointEvidence) -> list[ModuleSummary]:
    """Return one line for each module, in the order of their names; all layers of a kind are one."""
    groups, faulty = defaultdict[str, list[str]](list), faulty_names(evidence)
    for name, module in modules_of(evidence.checkpoint.tensors).items():
        groups[module].append(name)
    return [_summary(module, groups[module], evidence, faulty) for module in sorted(groups)]


def modules_of(names: Iterable[str]) -> dict[str, str]:
    """Return name of a tensor -> name of its module, such as ``layers.*.audio_mlp`` or ``audio_lm_head``.

    What all names begin with, such as the name of a wrapper, is left out. At most 200 modules are told apart.
    """
    paths = {name: _path(name) for name in names}
    shared = _shared(list(paths.values()))
    found = dict[str, str]()
    for depth in _DEPTHS:
        found = {name: ".".join(_cut(path[shared:], depth)) for name, path in paths.items()}
        if len(set(found.values())) <= _MOST:
            return found
    kept = set(sorted(set(found.values()))[: _MOST - 1])
    return {name: module if module in kept else _OTHERS for name, module in found.items()}


def _path(name: str) -> list[str]:
    """Split the name of the module that a tensor is of; numbers become stars."""
    parts = name.split(".")
    return ["*" if part.isdecimal() else part for part in (parts[:-1] or parts)]


def _shared(paths: list[list[str]]) -> int:
    """How many parts all names have in common, so that each has one more."""
    first, last = min(paths, default=[]), max(paths, default=[])
    most = min(map(len, paths), default=1) - 1
    same = (place for place in range(max(most, 0)) if first[place] != last[place])
    return next(same, max(most, 0))


def _cut(path: list[str], depth: int) -> list[str]:
    """End one part behind the first star, or at a depth."""
    star = path.index("*") if "*" in path else len(path)
    return path[: star + 2] if star <= depth else path[:depth]


def _summary(module: str, names: list[str], evidence: CheckpointEvidence, faulty: set[str]) -> ModuleSummary:
    tensors = [evidence.checkpoint.tensors[name] for name in names]
    found = [evidence.statistics[name] for name in names if name in evidence.statistics]
    is_known = len(found) == len(names) and not any(each.nan or each.infinite for each in found)
    norms = [each.norm for each in found if each.elements]
    change, unchanged = _change(names, evidence)
    return ModuleSummary(
        module,
        len(tensors),
        sum(tensor.elements for tensor in tensors),
        tuple(sorted({tensor.dtype for tensor in tensors})),
        norm=math.hypot(*norms) if is_known else math.nan,
        change=change,
        unchanged=unchanged,
        faults=len(faulty & set(names)),
    )


def _change(names: list[str], evidence: CheckpointEvidence) -> tuple[float, int]:
    """Return the relative change of these tensors, NaN where there is no base, and how many are the base's."""
    changes = evidence.comparison.changes if evidence.comparison else {}
    compared = [changes[name] for name in names if name in changes]
    if not compared:
        return math.nan, 0
    base, change = math.hypot(*(each.base_norm for each in compared)), math.hypot(*(each.norm for each in compared))
    return change / base if base else (math.nan if change else 0.0), sum(each.is_same for each in compared)
