"""Many values of a weight are denormal.

What: More than half of the values of a float16 matrix, or more than a twentieth of any other weight's, are nearer to
zero than the least number that the dtype holds in full precision: 6e-5 for float16, 1e-38 for bfloat16 and float32.
Weights of 8 bits come with a scale and are left out.

Why: In float16 such values have lost most of their digits, and an update of theirs is rounded to nothing. In bfloat16
and float32 no training makes them: they are memory that nobody wrote, bytes of another dtype, or weights that a
weight decay without gradients shrank for very long.

Fix: Save in bfloat16 or float32. If it was no float16, look at how the tensor was made: `torch.empty` without an
initialisation, or a file whose offsets are wrong.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.weights import is_buffer, is_float, is_matrix
from audioloss_cli.model import Problem, Severity

_LEAST = 16  # values that a tensor has, for a share of them to mean anything
_SHARE, _SHARE_F16 = 0.05, 0.5


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names them, those with the greatest share first."""
    tensors, shares = evidence.checkpoint.tensors, _shares(evidence)
    found = {
        name: share
        for name, share in shares.items()
        if share > (_SHARE_F16 if tensors[name].dtype == "F16" else _SHARE)
    }
    if found:
        text = listed(f"{name} ({share:.0%} of its {tensors[name].dtype} values)" for name, share in found.items())
        text = f"{counted(len(found), 'weight holds', 'weights hold')} denormals: {text}"
        yield Problem(Severity.WARNING, text, {"tensors": found})


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the greatest share."""
    shares = _shares(evidence).values()
    return f"at most {max(shares):.2g} of the values of a weight are denormal" if shares else ""


def _shares(evidence: CheckpointEvidence) -> dict[str, float]:
    """Return name -> share of the values that are denormal, the greatest first."""
    tensors, shares = evidence.checkpoint.tensors, dict[str, float]()
    for name, each in evidence.statistics.items():
        if each.elements and name in tensors and _counts(tensors[name]):
            shares[name] = each.denormal / each.elements
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _counts(tensor: StoredTensor) -> bool:
    is_scaled = tensor.dtype.startswith("F8")
    if not is_float(tensor) or is_scaled or is_buffer(tensor.name) or tensor.elements < _LEAST:
        return False
    return tensor.dtype != "F16" or is_matrix(tensor)
