"""A field that the model needs is empty.

What: A required tensor has no element (such as audio_out_ids of shape [0, 0]), or the audio mask is false everywhere.

Why: The model then sees no audio at all: audio_logits come out as [0, 8, 1026], the cross entropy of nothing is 0 or
NaN, and the logged audio loss looks perfect.

Fix: Look at the samples before the collator: audio that was filtered out by length, a tokenizer that returned
nothing, or a mask that was built before the audio. Drop samples without audio from the data, loudly.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed, shape_of
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names all of them."""
    required = [item.name for item in evidence.layout.fields if item.required]
    empty = [name for name in required if isinstance(found := evidence.batch.get(name), Tensor) and not found.numel()]
    if empty:
        shapes = listed(f"{name} has shape {shape_of(evidence.batch[name])}" for name in empty)
        yield Problem(Severity.CRITICAL, f"{shapes}: the model sees no audio", {"empty": empty})
    mask = evidence.layout.named("codes-mask")
    found = evidence.batch.get(mask.name) if mask else None
    if mask and isinstance(found, Tensor) and found.numel() and not bool(found.any()):
        yield Problem(
            Severity.CRITICAL, f"{mask.name} is false everywhere: no audio column counts", {"empty": [mask.name]}
        )


def passed(evidence: Evidence) -> str:
    """Counts the audio columns."""
    codes = evidence.audio.codes
    return f"{len(codes)} audio columns are fed in" if codes is not None and len(codes) else ""
