"""The audio logits do not fit the labels or the configuration.

What: Another number of codebooks or of ids than configured, or another number of rows than there are audio labels.

Why: A loss that reshapes them anyway holds logits against labels of other codebooks or other times.

Fix: Take the layout from the model's own documentation: [rows, codebooks, ids]. A head of 1024 ids cannot predict BOS
and EOS: real Higgs checkpoints have codebook_size 1026.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem."""
    wrong = _complaints(evidence)
    if wrong and evidence.stats is not None:
        shape = list(evidence.stats.shape)
        yield Problem(Severity.CRITICAL, f"the audio logits have shape {shape}, but {listed(wrong)}", {"shape": shape})


def passed(evidence: Evidence) -> str:
    """The shape."""
    if evidence.stats is None or not evidence.stats.shape[0]:
        return ""
    return f"the audio logits have shape {list(evidence.stats.shape)}, as configured"


def _complaints(evidence: Evidence) -> list[str]:
    if evidence.stats is None or not evidence.stats.shape[0]:
        return []
    rows, books, ids = evidence.stats.shape
    layout, wrong = evidence.layout, []
    if layout.num_codebooks and books != layout.num_codebooks:
        wrong.append(f"the configuration says {layout.num_codebooks} codebooks")
    if layout.vocab_size and ids != layout.vocab_size:
        wrong.append(f"the configuration says {layout.vocab_size} ids")
    labels = evidence.audio.labels
    if labels is not None and len(labels) != rows:
        wrong.append(f"there are {len(labels)} columns of audio labels")
    return wrong
