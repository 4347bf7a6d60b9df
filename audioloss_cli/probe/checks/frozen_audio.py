"""Audio parameters are frozen.

What: No parameter of a group of audio parameters (head, embeddings, audio FFN) requires a gradient. No trouble where
a LoRA elsewhere has a gradient: it is trained in their place. With --backward only.

Why: A frozen audio head cannot learn audio: its loss stays flat while the text improves. With LoRA everything that is
not targeted is frozen.

Fix: Name the audio head and the audio embeddings (audio_lm_head, model.embed_audio_tokens) in modules_to_save and the
audio FFN in target_modules of the LoRA configuration, or set requires_grad_(True) before the optimiser is made.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Critical if nothing of the audio is left to train; a fact beside an adapter that its loss reaches."""
    groups = {name: group for name, group in evidence.audio_gradients.items() if group.parameters}
    frozen = [name for name, group in groups.items() if not group.trainable]
    if frozen:
        every, adapted = len(frozen) == len(groups), _is_adapted(evidence)
        gravest = Severity.CRITICAL if every or "head" in frozen else Severity.WARNING
        more = "; a LoRA is trained in their place" if adapted else ": no audio parameter can be trained"
        yield Problem(
            Severity.INFO if adapted else gravest,
            f"the audio {listed(frozen)} {'is' if len(frozen) == 1 else 'are'} frozen"
            + (more if every or adapted else ""),
            {"frozen": frozen, "groups": list(groups)},
        )


def passed(evidence: Evidence) -> str:
    """Counts, if none is 0."""
    groups = evidence.audio_gradients.items()
    counts = [f"{group.trainable} of {group.parameters} tensors of the {name}" for name, group in groups]
    none = any(not group.trainable for _, group in groups)
    return f"trainable: {listed(counts)}" if counts and not none else ""


def _is_adapted(evidence: Evidence) -> bool:
    """Whether a LoRA in what text and audio share, or in the audio's own layers, gets a gradient."""
    return any(group.adapted and group.norm != 0 for group in evidence.gradients.values())
