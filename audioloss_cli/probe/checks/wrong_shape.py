"""An audio field has the wrong shape, or two of them do not fit together.

What: The number of dimensions differs from the model's layout, the number of codebooks from its configuration, or
codes and labels have different shapes.

Why: Transposed codes ([T, K] for [K, T]) can pass through a model whose sizes happen to fit; 12 codebooks into a
model of 8 are another codec's.

Fix: Compare each shape with the layout in the message. The number of codebooks must be that of the model's
configuration: take the tokenizer that the model was trained with.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._shapes import TEXT, misfit, misshapen
from audioloss_cli.probe.checks._words import listed, shape_of
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Field


def check(evidence: Evidence) -> Iterator[Problem]:
    """Dimensions, codebooks, and codes beside labels; text is the matter of ``wrong-text-shape``."""
    audio = [item for item in evidence.layout.fields if item.role not in TEXT]
    told = [*(_complaint(item, evidence) for item in audio), misfit("codes", "audio-labels", evidence)]
    wrong = [text for text in told if text]
    if wrong:
        yield Problem(Severity.CRITICAL, listed(wrong), {"problems": wrong})


def passed(evidence: Evidence) -> str:
    """Counts the codebooks."""
    codes = evidence.audio.codes
    return "" if codes is None else f"the codes have {codes.shape[1]} codebooks, as the configuration says"


def _complaint(item: Field, evidence: Evidence) -> str:
    found = evidence.batch.get(item.name)
    if not isinstance(found, Tensor) or not found.numel():
        return ""
    if text := misshapen(item, evidence):
        return text
    axes = item.axes.split() if found.ndim == item.dimensions else item.other_axes.split()
    wanted = evidence.layout.num_codebooks
    if item.first and "K" in axes and found.shape[axes.index("K")] >= item.first + wanted:
        return ""  # what stands beside the codebooks, as a row of text does, may be any number
    if "K" in axes and found.shape[axes.index("K")] != wanted:
        return f"{item.name} has {found.shape[axes.index('K')]} codebooks (shape {shape_of(found)}), the model {wanted}"
    return ""
