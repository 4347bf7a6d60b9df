"""The checkpoint and the model do not fit together.

What: Parameters of the model that the checkpoint lacks, or whose shape differs. Critical for audio parameters.

Why: What is not in the checkpoint is initialised at random, with a warning at most: an audio head that was never
saved with the adapter starts from nothing at every load.

Fix: Save the missing modules with the checkpoint (modules_to_save in PEFT: audio_lm_head, and in full
model.embed_audio_tokens), load it with the configuration that it was trained with (codebook_size 1026 for Higgs), or
name the base that holds them.
"""

import re
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Missing, mismatched, and left over."""
    weights = evidence.weights
    for what, keys in (("the checkpoint lacks", weights.missing), ("shapes differ:", weights.mismatched)):
        if keys:
            audio = [key for key in keys if _is_audio(key, evidence)]
            yield Problem(
                Severity.CRITICAL if audio else Severity.WARNING,
                f"{what} {listed(audio or keys)}" + (f" ({len(keys)} in all)" if len(keys) > 1 else ""),
                {"keys": list(keys)[:100]},
            )
    if weights.unexpected:
        yield Problem(
            Severity.INFO,
            f"the model has no place for {listed(weights.unexpected)}",
            {"keys": list(weights.unexpected)[:100]},
        )


def passed(evidence: Evidence) -> str:
    """Says so."""
    return (
        ""
        if evidence.kept is None and evidence.would_keep is None
        else "the checkpoint holds every parameter of the model"
    )


def _is_audio(key: str, evidence: Evidence) -> bool:
    return any(re.search(pattern, key) for pattern in evidence.layout.parameters.values())
