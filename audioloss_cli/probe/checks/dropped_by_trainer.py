"""A trainer that removes unused columns would drop fields of this batch.

What: The signature of the model's forward does not name a key of the batch, so Hugging Face's Trainer with
remove_unused_columns=True (its default) drops it. It looks through a PEFT wrapper, and through no other. A fact where
nobody says what the trainer does; critical where training_args.bin beside the checkpoint says that it does so.

Why: A wrapper with forward(self, *args, **kwargs) names nothing: audio_out_ids and label_audio_ids disappear between
the collator and the model, nothing raises, and the loss becomes that of the text alone, or 0.

Fix: Set remove_unused_columns=False in TrainingArguments, or give the wrapper's forward the model's own argument
names.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem for what the audio loss needs, one for what it could do without; what would be lost is a fact."""
    would = _lost(evidence, evidence.would_keep)
    if would:
        yield Problem(
            Severity.INFO,
            f"the forward of the model does not name {listed(would)}: a trainer with remove_unused_columns=True, the "
            f"default of transformers, would drop {'it' if len(would) == 1 else 'them'}",
            {"dropped": would},
        )
    lost = _lost(evidence, evidence.kept)
    required = {item.name for item in evidence.layout.fields if item.required}
    grave = [name for name in lost if name in required]
    light = [name for name in lost if name not in grave]
    if grave:
        yield Problem(
            Severity.CRITICAL,
            f"the forward of the model does not name {listed(grave)}: a trainer that removes unused columns drops "
            f"{'it' if len(grave) == 1 else 'them'}",
            {"dropped": grave},
        )
    if light:
        yield Problem(
            Severity.INFO,
            f"a trainer that removes unused columns drops {listed(light)}{' as well' if grave else ''}",
            {"dropped": light},
        )


def passed(evidence: Evidence) -> str:
    """What is known of the trainer or the forward; nothing where a trainer might drop something."""
    if evidence.kept is not None:
        return "no audio field of the batch is dropped on its way to the model"
    named = evidence.would_keep is not None and not _lost(evidence, evidence.would_keep)
    return "the forward of the model names every audio field of the batch" if named else ""


def _lost(evidence: Evidence, kept: frozenset[str] | None) -> list[str]:
    if kept is None:
        return []
    made = "_"  # before the names of what an adapter made of the batch
    there = [str(key) for key, value in evidence.batch.items() if value is not None]
    return [key for key in there if key not in kept and not key.startswith(made)]
