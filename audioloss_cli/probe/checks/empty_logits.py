"""The model gave no audio logits.

What: The output holds no audio logits, or they have no rows, such as shape [0, 8, 1026].

Why: The audio branch found no audio: audio_out_ids did not arrive, was empty, or the text had no placeholder. The
cross entropy over no rows is 0 or NaN, and the run looks converged.

Fix: Work backwards: are the audio codes in the batch, does the forward name them, are they in the call? For a model
of another family name the output with --logits-key.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """After a forward pass that came through."""
    if evidence.stats is not None and not evidence.stats.shape[0]:
        shape = list(evidence.stats.shape)
        yield Problem(
            Severity.CRITICAL,
            f"the audio logits have shape {shape}: no audio column reached the audio head",
            {"shape": shape},
        )


def passed(evidence: Evidence) -> str:
    """The shape."""
    if evidence.stats is None or not evidence.stats.shape[0]:
        return ""
    return f"the audio logits have shape {list(evidence.stats.shape)}"
