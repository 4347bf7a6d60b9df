"""Many samples have no audio label that counts.

What: In at least a quarter of the samples of a batch that hold audio, all audio labels are the ignored index, though
not in all; or in at least one sample in a hundred of a whole data set, and fewer are a fact.

Why: Those samples cost time and teach nothing; a trainer that averages per sample turns them into NaN and may hide
it. A sample whose audio is all prompt is masked rightly: where text that is learnt follows its audio, as an answer to
a spoken question does, this is no more than said.

Fix: Count fully masked samples in the whole data and look at one of them: most often its text was truncated before
the audio, or the turn that should be learnt has another role.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.data_figures import DataFigures
from audioloss_cli.probe.measure.evidence import Evidence

_MOST, _MOST_OF_THE_DATA = 0.25, 0.01
_FEWEST_ANSWERED = 4


def check(evidence: Evidence) -> Iterator[Problem]:
    """Unless all of them are."""
    if evidence.data is not None:
        yield from _of_the_data(evidence.data)
        return
    masked, samples = _masked(evidence)
    answers = _answers(evidence)
    spoken = [sample for sample in masked if sample in answers]
    if spoken:
        yield Problem(
            Severity.INFO,
            f"{len(spoken)} of {samples} samples have audio in their prompt alone, and text to learn behind it",
            {"samples": spoken},
        )
        masked = [sample for sample in masked if sample not in answers]
    if masked and _MOST * samples <= len(masked) < samples:
        yield Problem(
            Severity.WARNING,
            f"{len(masked)} of {samples} samples have no audio label that counts, the first is sample {masked[0]}; "
            f"of all segments {percent(_masked_segments(evidence))} are masked altogether",
            {"samples": masked, "masked_segments": _masked_segments(evidence)},
        )


def passed(evidence: Evidence) -> str:
    """How many are masked."""
    if evidence.data is not None:
        with_audio = evidence.data.samples - evidence.data.without_audio.count
        return f"all of {with_audio:,} samples have labels that count" if evidence.data.counted else ""
    masked, samples = _masked(evidence)
    share = percent(_masked_segments(evidence))
    return f"{len(masked)} of {samples} samples and {share} of the segments are masked" if samples else ""


def _of_the_data(found: DataFigures) -> Iterator[Problem]:
    masked, samples = found.masked, found.samples
    if masked.count:
        yield Problem(
            Severity.WARNING if masked.count >= _MOST_OF_THE_DATA * samples else Severity.INFO,
            f"{masked.count:,} of {samples:,} samples have no audio label that counts: {masked}",
            {"masked": masked.count, "samples_in_all": samples, "first": masked.as_json()},
        )


def _answers(evidence: Evidence) -> set[int]:
    """Samples in which text that is learnt follows the last audio; an end of turn alone is no answer."""
    layout = evidence.layout
    items = (layout.named("text"), layout.named("text-labels"))
    text, labels = (evidence.batch.get(item.name) if item else None for item in items)
    if not isinstance(text, Tensor) or not isinstance(labels, Tensor):
        return set()
    if text.shape != labels.shape or text.ndim != len("BS"):
        return set()
    audio = layout.placeholders_in(text)
    if audio is None:
        return set()
    behind = audio.flip(1).cumsum(1).flip(1) == 0
    counted = ((labels != layout.ignore_index) & behind).sum(1)
    return set((counted >= _FEWEST_ANSWERED).nonzero().flatten().tolist())


def _masked_segments(evidence: Evidence) -> float:
    """Share of the segments."""
    valid, segments = evidence.valid, evidence.audio.segments
    if valid is None or segments is None or len(valid) != len(segments) or not len(valid):
        return 0.0
    learnt = segments[valid.any(1)].unique()
    return 1 - len(learnt) / len(segments.unique())


def _masked(evidence: Evidence) -> tuple[list[int], int]:
    valid, samples = evidence.valid, evidence.audio.samples
    if valid is None or samples is None or len(valid) != len(samples):
        return [], 0
    present = samples.unique().tolist()
    return [sample for sample in present if not bool(valid[samples == sample].any())], len(present)
