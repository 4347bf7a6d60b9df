"""The LoRA trains nothing that audio passes through.

What: Every module that the adapter changes, or saves whole, is one of the text alone: its head, its embeddings, or the
FFN of layers that have another one for audio. A fact, and no trouble, where layers that text and audio share are
trained and the audio head, embeddings and FFN are not: a LoRA on attention moves audio as well.

Why: What is not targeted stays frozen. The audio loss moves a little with the text that it hears, and no further.

Fix: Put q_proj, k_proj, v_proj, o_proj and the audio FFN (audio_mlp.gate_proj and so on) into target_modules, and the
audio head and embeddings (audio_lm_head, model.embed_audio_tokens) into modules_to_save.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._changes import SHARED, WORDS
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, TEXT, members
from audioloss_cli.checkpoints.lora import is_adapter, pairs
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """A warning if the text alone is trained, a fact if what it shares with audio is."""
    trained = _trained(evidence)
    if not trained or any(trained.get(group) for group in AUDIO):
        return
    numbers = {group: len(names) for group, names in trained.items()}
    if shared := trained.get(SHARED):
        yield Problem(
            Severity.INFO,
            f"the LoRA trains {len(shared):,} modules that text and audio share, and leaves "
            f"{listed(WORDS[group] for group in AUDIO if group in _own(evidence))} as the base has them",
            {"modules": numbers},
        )
    else:
        names = [name for group in trained.values() for name in group]
        yield Problem(
            Severity.WARNING,
            f"what the LoRA trains is the text's alone: {counted(len(names), 'module')}, {listed(names)}",
            {"modules": numbers},
        )


def passed(evidence: CheckpointEvidence) -> str:
    """Which of the audio's own modules it trains."""
    trained = _trained(evidence)
    counts = [f"{len(trained[group]):,} of the {WORDS[group]}" for group in AUDIO if trained.get(group)]
    return f"modules that the LoRA trains: {listed(counts)}" if counts else ""


def _own(evidence: CheckpointEvidence) -> frozenset[str]:
    return frozenset(evidence.family.GROUPS) if evidence.family else frozenset()


def _trained(evidence: CheckpointEvidence) -> dict[str, list[str]]:
    """Return group -> modules that a LoRA is added to and tensors that it saves whole; empty where there is no LoRA."""
    tensors = evidence.checkpoint.tensors
    found = pairs(tensors)
    if evidence.family is None or not found:
        return {}
    alone = is_adapter(evidence.checkpoint)
    whole = [name for name in tensors if ".lora_" not in name and (alone or ".modules_to_save." in name)]
    left = [*sorted({f"{pair.module}." for pair in found}), *sorted(whole)]
    groups = dict[str, list[str]]()
    for group in (*AUDIO, *TEXT):
        mine = set(members(evidence.family, left, group))
        groups[group] = [name.removesuffix(".") for name in left if name in mine]
        left = [name for name in left if name not in mine]
    return {group: names for group, names in {**groups, SHARED: left}.items() if names}
