"""A field has the wrong kind of numbers.

What: Ids or labels that are not integers (int64 or int32), a mask of two axes that is neither bool nor integer, a
required field that is no tensor, or a tensor that is complex, sparse, nested, quantised or on the meta device.

Why: Ids that went through a float lose their exactness above 2048 in bfloat16: code 1025 becomes 1024. A float mask
is added where a bool mask would select.

Fix: Keep ids as torch.long from the tokenizer to the model, and do not cast a whole batch to the model's dtype: cast
only what is floating.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.adapter import Unreadable
from audioloss_cli.probe.model_io.layout import Field


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names all of them."""
    wrong = {item.name: str(found.dtype) for item, found in _tensors(evidence) if not _fits(item, found)}
    wrong |= {item.name: f"a {type(found).__name__}" for item, found in _others(evidence)}
    wrong |= evidence.unreadable
    if wrong:
        text = listed(f"{name} is {dtype.removeprefix('torch.')}" for name, dtype in wrong.items())
        yield Problem(
            Severity.CRITICAL, f"{text}; ids and labels must be int64 tensors, masks bool or int64", {"dtypes": wrong}
        )


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "all ids are integers" if any(True for _ in _tensors(evidence)) else ""


def _tensors(evidence: Evidence) -> Iterator[tuple[Field, Tensor]]:
    for item in evidence.layout.fields:
        found = evidence.batch.get(item.name)
        if isinstance(found, Tensor) and found.numel():
            yield item, found


def _others(evidence: Evidence) -> Iterator[tuple[Field, object]]:
    """What no model takes for a tensor: lists, above all."""
    for item in evidence.layout.fields:
        found = evidence.batch.get(item.name)
        if item.required and found is not None and not isinstance(found, (Tensor, Unreadable)):
            yield item, found


def _fits(item: Field, found: Tensor) -> bool:
    if item.kind == "floating":
        return found.is_floating_point()
    if item.kind == "mask":
        if found.ndim == len("BHSS"):  # may be one that is added
            return not found.is_complex()
        return not found.is_floating_point() and not found.is_complex()
    return found.dtype in (torch.int64, torch.int32)
