"""Weights hold NaN or an infinity.

What: A tensor of the checkpoint has values that are NaN or infinite. Masks, which are infinite by design, are left
out if they have no NaN.

Why: One NaN in a weight makes every output NaN; a checkpoint that was saved after such a step is lost, and a training
that goes on from it reports 0.0 or NaN for good.

Fix: Go back to the last checkpoint without them, and look in its log for the first step with a gradient norm that is
not finite. If a single value of an old file is bad, the file was damaged: fetch it again.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed, place_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.weights import audio_names, has_bad_values, is_float
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names them."""
    bad = {name: found for name, found in evidence.statistics.items() if has_bad_values(name, found)}
    if not bad:
        return
    audio = audio_names(evidence)
    first = sorted(bad, key=lambda name: name not in audio)
    text = listed((_described(name, bad[name], evidence) for name in first), 4)
    numbers = {
        name: {"nan": bad[name].nan, "infinite": bad[name].infinite, "first": bad[name].first_bad} for name in bad
    }
    yield Problem(
        Severity.CRITICAL,
        f"{counted(len(bad), 'tensor holds', 'tensors hold')} NaN or infinity: {text}",
        {"tensors": numbers},
    )


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of tensors that were looked at."""
    tensors = evidence.checkpoint.tensors
    count = sum(name in tensors and is_float(tensors[name]) for name in evidence.statistics)
    return f"no NaN and no infinity in {counted(count, 'tensor')}" if count else ""


def _described(name: str, found: TensorStatistics, evidence: CheckpointEvidence) -> str:
    kinds = [f"{count:,} {kind}" for kind, count in (("NaN", found.nan), ("infinite", found.infinite)) if count]
    tensor = evidence.checkpoint.tensors.get(name)
    first = f", the first at {place_of(found.first_bad, tensor.shape)}" if tensor and found.first_bad >= 0 else ""
    return f"{name} ({' and '.join(kinds)} of {found.elements:,}{first})"
