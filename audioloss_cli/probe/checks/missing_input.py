"""A field that the model needs is not in the batch.

What: A required field of the model family (audio codes, audio labels, their mask, the text) is absent or None.

Why: Most models train on without a word: no audio codes means no audio loss, or placeholder embeddings in their
place, and a loss that says nothing about audio. This is what a filter between the collator and the model leaves
behind.

Fix: Let the collator return the field under this name, and keep the trainer from dropping it:
remove_unused_columns=False in TrainingArguments, and explicit argument names in the forward of every wrapper.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names all of them."""
    absent = [item for item in evidence.layout.fields if item.required and evidence.batch.get(item.name) is None]
    if absent:
        names = [item.name for item in absent]
        roles = listed(f"{item.name} ({item.role.replace('-', ' ')})" for item in absent)
        there = listed(sorted(str(key) for key in evidence.batch), 12) or "nothing"
        yield Problem(Severity.CRITICAL, f"the batch has no {roles}; it has {there}", {"missing": names})


def passed(evidence: Evidence) -> str:
    """Names what is there."""
    required = [item.name for item in evidence.layout.fields if item.required]
    return f"{listed(required)} are in the batch" if required else ""
