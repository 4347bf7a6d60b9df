"""The attention mask hides what it should show.

What: The mask holds other values than 0 and 1, hides a whole sample, has a hole in the middle of one, or hides audio:
placeholders in the text or, where text and audio share their positions, audio labels that count.

Why: What is hidden is not learnt from: hidden audio leaves the loss of its columns to guessing.

Fix: Build the mask from the lengths after the text is complete with its placeholders, not from pad_token_id: where
the pad token is also the end token, real tokens are hidden.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Role


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem for each kind."""
    mask = _mask(evidence)
    if mask is None:
        return
    if bool(((mask != 0) & (mask != 1)).any()):
        values = mask.long().unique().tolist()
        yield Problem(Severity.CRITICAL, f"the attention mask holds {values[:6]}, not 0 and 1", {"values": values[:20]})
        return
    audio = _audio(evidence, mask)
    if audio is not None and bool((audio & ~mask.bool()).any()):
        unseen = audio & ~mask.bool()
        count, samples = int(unseen.sum()), unseen.any(1).nonzero().flatten().tolist()
        yield Problem(
            Severity.CRITICAL,
            f"the attention mask hides {count} of {int(audio.sum())} positions that stand for audio, the first in "
            f"sample {samples[0]}",
            {"hidden": count, "samples": samples},
        )
    hidden = (~mask.bool().any(1)).nonzero().flatten().tolist()
    if hidden:
        yield Problem(Severity.CRITICAL, f"the attention mask hides sample {hidden[0]} altogether", {"samples": hidden})
    holes = (_stretches(mask.bool()) > 1).nonzero().flatten().tolist()
    if holes:
        yield Problem(
            Severity.WARNING, f"the attention mask has a hole in the middle of sample {holes[0]}", {"samples": holes}
        )


def passed(evidence: Evidence) -> str:
    """How much it shows."""
    mask = _mask(evidence)
    return "" if mask is None else f"the attention mask shows {int(mask.bool().sum())} of {mask.numel()} positions"


def _mask(evidence: Evidence) -> Tensor | None:
    item = evidence.layout.named("attention")
    found = evidence.batch.get(item.name) if item else None
    return found if isinstance(found, Tensor) and found.ndim == len("BS") and found.numel() else None


def _audio(evidence: Evidence, mask: Tensor) -> Tensor | None:
    """[B, S] bool: positions that stand for audio; None if unknown."""
    text, labels = _of_role("text", evidence), _of_role("audio-labels", evidence)
    audio = evidence.layout.placeholders_in(text) if text is not None and text.shape == mask.shape else None
    if audio is not None:
        return audio
    if labels is not None and labels.ndim > mask.ndim and labels.shape[: mask.ndim] == mask.shape and _shared(evidence):
        return (labels != evidence.layout.ignore_index).any(-1)
    return None


def _shared(evidence: Evidence) -> bool:
    """Whether the mask has the axes of the labels but for the codebooks."""
    mask, labels = evidence.layout.named("attention"), evidence.layout.named("audio-labels")
    return mask is not None and labels is not None and labels.axes == f"{mask.axes} K"


def _of_role(role: Role, evidence: Evidence) -> Tensor | None:
    item = evidence.layout.named(role)
    found = evidence.batch.get(item.name) if item else None
    return found if isinstance(found, Tensor) else None


def _stretches(shown: Tensor) -> Tensor:
    """[B] int64: stretches that are shown; padding lies at the ends, on either side."""
    return shown[:, 0].long() + (shown[:, 1:] & ~shown[:, :-1]).sum(1)
