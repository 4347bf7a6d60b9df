"""The text and what belongs to it do not fit together.

What: The text, its labels or its attention mask have another number of dimensions than the model's layout, or
different shapes. An attention mask of four axes, [B, heads, S, S], is as good as one of two.

Why: Audio is put where the text has its placeholders: a mask or labels of another length hide, or score, other
positions than they should.

Fix: Pad text, labels and attention mask together, after the placeholders are in the text.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._shapes import TEXT, misfit, misshapen
from audioloss_cli.probe.checks._words import listed, shape_of
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.layout import Role


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names all of them."""
    square = _square(evidence)
    items = [item for item in evidence.layout.fields if item.role in TEXT]
    told = [misshapen(item, evidence) for item in items if square is None or item.role != "attention"]
    told.append(misfit("text", "text-labels", evidence))
    told.append(misfit("text", "attention", evidence) if square is None else _complaint(square, evidence))
    wrong = [text for text in told if text]
    if wrong:
        yield Problem(Severity.CRITICAL, listed(wrong), {"problems": wrong})


def passed(evidence: Evidence) -> str:
    """The shape."""
    ids = _tensor("text", evidence)
    return "" if ids is None else f"the text is {shape_of(ids)}, and what belongs to it too"


def _square(evidence: Evidence) -> Tensor | None:
    """An attention mask [B, heads, S, S]."""
    mask = _tensor("attention", evidence)
    return mask if mask is not None and mask.ndim == len("BHSS") else None


def _complaint(square: Tensor, evidence: Evidence) -> str:
    ids = _tensor("text", evidence)
    if ids is None or ids.ndim != len("BS"):
        return ""
    fits = square.shape[0] in (1, ids.shape[0]) and square.shape[2:] == (ids.shape[1], ids.shape[1])
    return "" if fits else f"the text has shape {shape_of(ids)} and its attention mask {shape_of(square)}"


def _tensor(role: Role, evidence: Evidence) -> Tensor | None:
    item = evidence.layout.named(role)
    found = evidence.batch.get(item.name) if item else None
    return found if isinstance(found, Tensor) else None
