"""A weight is far larger than weights are.

What: A weight or a bias has a value above 10,000; in float16 above 32,768, half of what it can hold; or a value of
some thousand times the root mean square of the others in its tensor; or a tensor is a thousand times as large as the
median of its like in other layers. Statistics, scales and tables that models keep beside their weights are left out,
and so are weights of 8 bits, which come with a scale.

Why: Weights of trained models stay below some hundreds, outlier channels included. One value of 1e30 is a flipped bit
of the exponent; a whole tensor is a training that diverged, or another dtype than the header says. In float16 the
next product of it is infinite.

Fix: Compare with an earlier checkpoint (`--against CHECKPOINT`): a training that diverged changed all values, a
damaged file one. Fetch the file again, or go back to the last checkpoint before it grew.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.weights import is_buffer, is_float, layers_as_stars
from audioloss_cli.model import Problem, Severity

_MOST, _MOST_F16 = 1e4, 32768.0
_ALONE, _ALONE_LEAST, _ALONE_VALUES = 5000.0, 100.0, 1000  # times the others, at least so large, among so many
_LIKE, _LIKE_LEAST, _LIKE_LAYERS = 1000.0, 10.0, 3


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names them, those with the largest values first."""
    usual, found = _usual(evidence), dict[str, str]()
    looked_at = sorted(_looked_at(evidence), key=lambda each: -_peak(each[2]))
    for name, tensor, each in looked_at:
        reason = _reason(tensor, each, usual.get(layers_as_stars(name), math.nan))
        if reason:
            found[name] = reason
    if found:
        text = listed((f"{name} ({reason})" for name, reason in found.items()), 4)
        text = f"{counted(len(found), 'tensor holds', 'tensors hold')} extreme values: {text}"
        yield Problem(Severity.WARNING, text, {"tensors": {name: _peak(evidence.statistics[name]) for name in found}})


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the largest value."""
    peaks = [_peak(each) for _, _, each in _looked_at(evidence)]
    return f"the largest weight is {max(peaks):.3g}" if peaks else ""


def _looked_at(evidence: CheckpointEvidence) -> Iterator[tuple[str, StoredTensor, TensorStatistics]]:
    for name, each in evidence.statistics.items():
        tensor = evidence.checkpoint.tensors.get(name)
        if tensor is None or not is_float(tensor) or tensor.dtype.startswith("F8") or is_buffer(name):
            continue
        if math.isfinite(each.lowest) and math.isfinite(each.highest):
            yield name, tensor, each


def _peak(each: TensorStatistics) -> float:
    return max(abs(each.lowest), abs(each.highest))


def _size(each: TensorStatistics) -> float:
    """The root mean square; NaN where it is not known."""
    return each.norm / math.sqrt(each.elements) if each.elements and math.isfinite(each.norm) else math.nan


def _usual(evidence: CheckpointEvidence) -> dict[str, float]:
    """The median size of tensors that are alike but for their layer, of which there are some."""
    sizes = defaultdict[str, list[float]](list)
    for name, _, each in _looked_at(evidence):
        if math.isfinite(_size(each)):
            sizes[layers_as_stars(name)].append(_size(each))
    return {name: median(each) for name, each in sizes.items() if len(each) >= _LIKE_LAYERS}


def _reason(tensor: StoredTensor, each: TensorStatistics, usual: float) -> str:
    peak, size = _peak(each), _size(each)
    if peak > (_MOST_F16 if tensor.dtype == "F16" else _MOST):
        return f"up to {peak:.3g}"
    if peak > _ALONE_LEAST and each.elements >= _ALONE_VALUES:
        others = math.sqrt(max(each.norm**2 - peak**2, 0.0) / (each.elements - 1)) if math.isfinite(each.norm) else peak
        if peak > _ALONE * others:
            return f"one of {peak:.3g} among others of about {others:.3g}"
    if size > _LIKE_LEAST and size > _LIKE * usual:
        return f"about {size:.3g}, where other layers have {usual:.3g}"
    return ""
