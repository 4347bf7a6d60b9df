"""Audio weights that the configuration asks for are not in the files.

What: The audio head, audio embeddings or the audio FFN of layers that have one by config.json are missing.

Why: Trainers that save a part of the model, and strict=False at loading, leave them out without a word; at every load
they start from random numbers, and the audio loss from chance. An adapter holds no weights of its base: what it leaves
untrained is another check.

Fix: Save the whole model, or name the audio head and embeddings in modules_to_save, or load the rest from the base
checkpoint.
"""

import re
from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._changes import WORDS
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, members, placed
from audioloss_cli.checkpoints.lora import is_adapter
from audioloss_cli.checkpoints.names import own
from audioloss_cli.checkpoints.words import listed
from audioloss_cli.model import Problem, Severity

# What quantisers write in place of ``weight``: GPTQ, AWQ, compressed-tensors, HQQ and torchao
_PACKED = re.compile(r"(.+)\.(?:qweight|weight_packed|weight_q|W_q|_data)", re.DOTALL)


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for all of a group."""
    for group, (names, lacking) in _groups(evidence).items():
        if lacking:
            yield Problem(
                Severity.CRITICAL,
                f"{len(lacking):,} of {len(names):,} tensors of the {WORDS[group]} that config.json asks for are "
                f"missing: {listed(lacking)}",
                {"group": group, "missing": lacking, "asked": len(names)},
            )


def passed(evidence: CheckpointEvidence) -> str:
    """How many are there."""
    count = sum(len(names) for names, _ in _groups(evidence).values())
    return f"all {count:,} audio tensors that config.json asks for are there" if count else ""


def _groups(evidence: CheckpointEvidence) -> dict[str, tuple[list[str], list[str]]]:
    """Return group -> names that are asked for, and those of them that are missing.

    A group whose tensors are there under names that nobody expects is left out, and so is a weight that was quantised
    into tensors of other names.
    """
    checkpoint, family = evidence.checkpoint, evidence.family
    if family is None or not checkpoint.config or not checkpoint.tensors or is_adapter(checkpoint):
        return {}
    expected = [each for each in family.expected(checkpoint.config) if each.group in AUDIO and not each.optional]
    there = placed(expected, checkpoint.tensors)
    packed = {own(match[1]) for name in checkpoint.tensors if (match := _PACKED.fullmatch(name))}
    found = dict[str, tuple[list[str], list[str]]]()
    for group in AUDIO:
        asked = [each for each in expected if each.group == group]
        lacking = [each.name for each in asked if each.name not in there and each.tied not in there]
        lacking = [name for name in lacking if name.removesuffix(".weight") not in packed]
        is_renamed = len(lacking) == len(asked) and members(family, checkpoint.tensors, group)
        if asked and not is_renamed:
            found[group] = [each.name for each in asked], lacking
    return found
