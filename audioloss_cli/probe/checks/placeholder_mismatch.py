"""The text has another number of audio placeholders than there is audio.

What: In some sample the audio placeholders in the text are not as many as its audio columns (or segments) need; or the
texts hold another number of placeholders for reference audio than there are segments of it.

Why: Audio embeddings are put where the placeholders stand, in order. Too few, and audio is cut off or the model
raises; if the counts only agree over the whole batch, audio of one sample lands in the text of another.

Fix: Expand the text with the lengths of the codes after the delay pattern is applied (T + 9 columns for T frames with
8 codebooks, BOS and EOS), and truncate text and audio together.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """The first sample, and how many; of reference audio the whole batch, since no segment says whose it is."""
    yield from _reference(evidence)
    if evidence.audio.placeholders is None:
        return
    found, needed = evidence.audio.placeholders
    wrong = [sample for sample, pair in enumerate(zip(found, needed, strict=True)) if pair[0] != pair[1]]
    if not wrong:
        return
    first = wrong[0]
    total = "" if sum(found) != sum(needed) else "; over the whole batch they agree, so audio moves to other samples"
    yield Problem(
        Severity.CRITICAL,
        f"sample {first} has {found[first]} audio placeholders in its text and needs {needed[first]} "
        f"({len(wrong)} of {len(found)} samples are wrong){total}",
        {"found": found, "needed": needed},
    )


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "" if evidence.audio.placeholders is None else "each sample has the placeholders that its audio needs"


def _reference(evidence: Evidence) -> Iterator[Problem]:
    """Features that may take the place of the codes may stand for any number of the placeholders."""
    given, item = evidence.layout.reference, evidence.layout.named("text")
    text = evidence.batch.get(item.name) if item else None
    if given is None or not isinstance(text, Tensor) or not evidence.layout.knows_placeholders_of(text):
        return
    if evidence.batch.get(given.instead) is not None:
        return
    codes, starts = evidence.batch.get(given.codes), evidence.batch.get(given.starts)
    has_codes = isinstance(codes, Tensor) and bool(codes.numel())
    segments = len(starts) if has_codes and isinstance(starts, Tensor) and starts.ndim else 0
    found = int((text == given.token).sum())
    if found != segments:
        yield Problem(
            Severity.CRITICAL,
            f"the texts hold {found} placeholders for reference audio (id {given.token}), and {given.codes} has "
            f"{segments} segments",
            {"found": found, "segments": segments},
        )
