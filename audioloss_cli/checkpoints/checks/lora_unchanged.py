"""The LoRA is still what it began as.

What: After steps of training the half of a LoRA that starts as zeros (lora_B; of a table lora_embedding_A) is zero
throughout. Critical if it is so of every module, a warning if it is so of some that audio passes through.

Why: With zeros in one half the LoRA adds nothing: the model is the base. No gradient reached it, its parameters are not
in the optimiser, or the save took place before the training.

Fix: Make the optimiser after the model was wrapped, look at what requires a gradient, and at the gradient of the LoRA
(audioloss probe --backward).
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import TEXT, members
from audioloss_cli.checkpoints.lora import pairs
from audioloss_cli.checkpoints.words import listed
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Nothing at step 0; a fact where nobody says the step."""
    every, zero = _modules(evidence)
    step = evidence.checkpoint.step
    if not zero or step == 0:
        return
    text_alone = set(members(evidence.family, [f"{name}." for name in zero], *TEXT))
    with_audio = [name for name in zero if f"{name}." not in text_alone]
    numbers = {"zero": len(zero), "modules": len(every), "step": step}
    if step is None:
        severity, place = Severity.INFO, "; nobody says how many steps it was trained"
    elif len(zero) == len(every):
        severity, place = Severity.CRITICAL, f" at step {step:,}, so that the model is its base"
    else:
        severity, place = (Severity.WARNING if with_audio else Severity.INFO), f" at step {step:,}"
    yield Problem(
        severity,
        f"the LoRA of {len(zero):,} of {len(every):,} modules still adds nothing, one half of it being zero"
        f"{place}: {listed(with_audio or zero)}",
        numbers,
    )


def passed(evidence: CheckpointEvidence) -> str:
    """How many add something."""
    every, zero = _modules(evidence)
    return f"the LoRA of each of {len(every):,} modules adds something" if every and not zero else ""


def _modules(evidence: CheckpointEvidence) -> tuple[list[str], list[str]]:
    """Return the modules whose half was read, and those of them where it is zero."""
    every, zero = list[str](), list[str]()
    for pair in pairs(evidence.checkpoint.tensors):
        half = pair.down if pair.is_embedding else pair.up
        found = evidence.statistics.get(half.name) if half is not None else None
        if found is not None and found.elements:
            every.append(pair.module)
            if found.zero == found.elements:
                zero.append(pair.module)
    return every, zero
