"""The ignored index stands among the inputs.

What: Audio codes that are fed in hold the label that means "ignore" (-100), or the padding beside them does, where the
model looks up padding too.

Why: The mask for the labels was written into the inputs: labels and codes share their memory, so that masking one
masks the other. As an index into the embedding, -100 raises or, in a shared table, reads another codebook.

Fix: Clone before masking: labels = codes.clone(). In a collator, never write into a tensor that came from the
dataset.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import embedded, first_true, percent
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.ids import equal


def check(evidence: Evidence) -> Iterator[Problem]:
    """In the columns that count, else in the rest of each field."""
    codes, ignore = evidence.audio.codes, evidence.layout.ignore_index
    if _is_a_code(evidence):
        return
    ignored = torch.zeros(0, device="cpu") if codes is None else equal(codes, ignore)
    count = int(ignored.sum())
    if count:
        row, book = first_true(ignored)
        yield Problem(
            Severity.CRITICAL,
            f"{ignore} stands {count} times among the audio codes ({percent(count / ignored.numel())}), first in "
            f"codebook {book}, column {row}",
            {"count": count, "codebook": book, "column": row},
        )
    for item, field in embedded(evidence):
        if (item.role != "codes" or not count) and bool(equal(field, ignore).any()):
            yield _whole(item.name, field, ignore)


def _is_a_code(evidence: Evidence) -> bool:
    """An ignored index that no embedding minds; whether one of 0 or above is such is unknown without the vocabulary."""
    ignore, size = evidence.layout.ignore_index, evidence.layout.vocab_size
    return ignore >= 0 and (not size or ignore < size)


def _whole(name: str, field: Tensor, ignore: int) -> Problem:
    ignored = field == ignore
    count, where = int(ignored.sum()), list(first_true(ignored))
    return Problem(
        Severity.CRITICAL,
        f"{ignore} stands {count} times in {name}, which the model looks up, padding included; first at {where}: pad "
        "codes with an id of the codebook",
        {"field": name, "count": count, "place": where},
    )


def passed(evidence: Evidence) -> str:
    """Says so."""
    codes = evidence.audio.codes
    return "" if codes is None or not len(codes) else f"no {evidence.layout.ignore_index} among the codes"
