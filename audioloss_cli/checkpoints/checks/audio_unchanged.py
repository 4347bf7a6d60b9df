"""The audio's weights are still the base's.

What: The audio head, the audio embeddings or the audio FFN are bit by bit those that the checkpoint is compared with
(--against), while other tensors changed. Critical for the head, and where the text alone changed; a warning for
embeddings or FFN. A fact where a LoRA, or a choice of layers, was trained in their place.

Why: They are frozen, not in the optimiser, or no gradient reaches them: the audio loss is not in the total, or the
audio never gets into the model. A gradient changes at least one number of a tensor within a few steps, in every dtype.

Fix: Look at what requires a gradient and at the gradient of the audio head (audioloss probe --backward); name the audio
head and embeddings in modules_to_save; make the optimiser after that.
"""

from collections.abc import Iterator, Mapping

from audioloss_cli.checkpoints.checks._changes import (
    SHARED,
    WORDS,
    Changes,
    after,
    changed,
    changes_of,
    has_trained,
    kinds,
    vectors,
)
from audioloss_cli.checkpoints.comparison import Comparison
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, TEXT
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names the groups; nothing where nothing at all changed."""
    comparison, changes = evidence.comparison, changes_of(evidence)
    if comparison is None or not has_trained(comparison):
        return
    same = changes.unchanged(*AUDIO)
    moved = changed(changes.of(*AUDIO, *TEXT, SHARED))
    if same and changes.is_lora:
        yield _saved_in_vain(same, changes, comparison)
    elif same and moved:
        yield _unchanged(same, moved, changes, comparison, evidence.checkpoint.tensors)


def passed(evidence: CheckpointEvidence) -> str:
    """How many of the tensors of each group changed."""
    changes = changes_of(evidence)
    there = [group for group in AUDIO if changes.of(group)]
    if not has_trained(evidence.comparison) or not there or changes.unchanged(*AUDIO):
        return ""
    counts = (f"{len(changed(changes.of(group)))} of {len(changes.of(group))} of the {WORDS[group]}" for group in there)
    return f"tensors that changed: {listed(counts)}"


def _saved_in_vain(same: list[str], changes: Changes, comparison: Comparison) -> Problem:
    names = list(changes.of(*same))
    return Problem(
        Severity.CRITICAL if "head" in same else Severity.WARNING,
        f"the {_words(same)}, which the adapter saves whole, {_be(same)} still the base's {after(comparison)}: "
        f"{listed(names)}",
        {"unchanged": same, "tensors": names, "steps": comparison.steps},
    )


def _unchanged(
    same: list[str], moved: list[str], changes: Changes, comparison: Comparison, tensors: Mapping[str, StoredTensor]
) -> Problem:
    """Judge by what changed in their place."""
    numbers = {
        "unchanged": same,
        "changed": len(moved),
        "compared": len(changes.of(*AUDIO, *TEXT, SHARED)),
        "steps": comparison.steps,
    }
    told = f"the {_words(same)} {_be(same)} bit by bit the base's {after(comparison)}"
    others = f"{len(moved):,} of {counted(len(changes.of(*AUDIO, *TEXT, SHARED)), 'tensor')} changed"
    text = changed(changes.of(*TEXT))
    if len(text) == len(moved):
        alone = "the text alone" if len(text) > len(changed(changes.of("encoders"))) else "encoders alone"
        return Problem(Severity.CRITICAL, f"{told}; {alone} changed, {others}: {listed(text)}", numbers)
    selective, is_all = _selective(changes, tensors)
    if selective and not is_all:
        layers = listed(sorted(selective))
        return Problem(Severity.INFO, f"{told}; {others}, all of them weights of {layers}, as of a LoRA", numbers)
    if same == ["ffn"] and not changed(changes.of(SHARED, "text_ffn")):
        return Problem(Severity.INFO, f"{told}, as all of the layers are; {others}", numbers)
    gravest = Severity.CRITICAL if "head" in same and not selective else Severity.WARNING
    more = ", matrices of layers alone, as of a LoRA that was merged into all of them" if selective else ""
    return Problem(gravest, f"{told}; {others}{more}", numbers)


def _selective(changes: Changes, tensors: Mapping[str, StoredTensor]) -> tuple[set[str], bool]:
    """Return the kinds of matrices that changed, if nothing but layers' matrices did, and whether all kinds did.

    A LoRA that was merged into its base, and a training of chosen layers, leave norms, biases and tables alone; the
    audio head and embeddings may be trained as a whole beside it.
    """
    moved = changed(changes.of("ffn", *TEXT, SHARED))
    if vectors(moved, tensors) or kinds(moved, tensors, layers=False):
        return set(), False
    of_layers = kinds(moved, tensors, layers=True)
    return of_layers, of_layers >= kinds(changes.of("ffn", "text_ffn", SHARED), tensors, layers=True)


def _words(groups: list[str]) -> str:
    *first, last = (WORDS[group] for group in groups)
    return f"{', '.join(first)} and {last}" if first else last


def _be(groups: list[str]) -> str:
    return "is" if groups in (["head"], ["ffn"]) else "are"
