"""The adapter's tensors are not those that its settings ask for.

What: Half of a LoRA is missing, its halves are of two ranks, the rank is another one than in adapter_config.json, or a
module that modules_to_save or target_modules names has no tensor.

Why: PEFT refuses to load such an adapter, or loads it in part: a module that should have been saved whole is the base's
again.

Fix: Save the adapter again with save_pretrained, from the model that was trained, and keep its adapter_config.json
beside it.
"""

import re
from collections.abc import Iterator

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, Family
from audioloss_cli.checkpoints.lora import Pair, asked_rank, is_adapter, pairs, saved_whole, targets
from audioloss_cli.checkpoints.words import clipped, listed
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Halves first, then the settings."""
    found = pairs(evidence.checkpoint.tensors)
    yield from _halves(found)
    if str(evidence.checkpoint.adapter_config.get("peft_type", "LORA")) == "LORA":
        yield from _ranks(found, evidence)
        yield from _not_there(found, evidence)


def passed(evidence: CheckpointEvidence) -> str:
    """How many there are, and their ranks."""
    found = pairs(evidence.checkpoint.tensors)
    if not found or list(check(evidence)):
        return ""
    ranks = sorted({rank for pair in found if (rank := pair.rank) is not None})
    return f"{len(found):,} LoRAs have both halves" + (f", of rank {listed(ranks)}" if ranks else "")


def _halves(found: list[Pair]) -> Iterator[Problem]:
    lost = [pair.module for pair in found if pair.down is None or pair.up is None]
    if lost:
        yield Problem(
            Severity.CRITICAL,
            f"{len(lost):,} of {len(found):,} LoRAs lack a half: {listed(lost)}",
            {"modules": lost, "loras": len(found)},
        )
    odd = [pair.module for pair in found if _ranks_of(pair)[0] != _ranks_of(pair)[1]]
    if odd:
        first = next(pair for pair in found if pair.module == odd[0])
        down, up = _ranks_of(first)
        yield Problem(
            Severity.CRITICAL,
            f"the halves of {len(odd):,} LoRAs are of two ranks, such as {down} and {up} of {clipped(odd[0])}",
            {"modules": odd},
        )


def _ranks_of(pair: Pair) -> tuple[int | None, int | None]:
    """Return the ranks of A and B, None for both where one is not known."""
    down, up = pair.down, pair.up
    if down is None or up is None or not down.shape or len(up.shape) <= 1:
        return None, None
    return down.shape[0], up.shape[1]


def _ranks(found: list[Pair], evidence: CheckpointEvidence) -> Iterator[Problem]:
    config = evidence.checkpoint.adapter_config
    if config.get("target_parameters"):
        return  # their LoRA has one block of rows for each expert
    wrong = dict[tuple[int, int], list[str]]()
    for pair in found:
        rank, asked = pair.rank, asked_rank(pair.module, config)
        if rank is not None and asked is not None and rank != asked:
            wrong.setdefault((rank, asked), []).append(pair.module)
    for (rank, asked), modules in wrong.items():
        yield Problem(
            Severity.CRITICAL,
            f"{len(modules):,} LoRAs are of rank {rank}, and adapter_config.json says {asked}: {listed(modules)}",
            {"modules": modules, "rank": rank, "asked": asked},
        )


def _not_there(found: list[Pair], evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Modules that the settings name, and that no tensor is of; lists for many models name some that one has not."""
    checkpoint = evidence.checkpoint
    if not is_adapter(checkpoint) or not checkpoint.tensors:
        return
    for setting, named in (
        ("modules_to_save", saved_whole(checkpoint.adapter_config)),
        ("target_modules", targets(checkpoint.adapter_config)),
    ):
        lacking = [
            each for each in named if re.fullmatch(r"[\w.]+", each) and not _is_there(each, setting, found, evidence)
        ]
        if lacking:
            is_grave = setting == "modules_to_save" or any(_is_audio(each, evidence.family) for each in lacking)
            yield Problem(
                Severity.WARNING if is_grave else Severity.INFO,
                f"adapter_config.json names {listed(lacking)} in {setting}, and no tensor is of it",
                {"setting": setting, "modules": lacking},
            )


def _is_there(module: str, setting: str, found: list[Pair], evidence: CheckpointEvidence) -> bool:
    if setting == "target_modules":
        return module == "all-linear" or any(f".{pair.module}".endswith(f".{module}") for pair in found)
    return any(f".{module}." in f".{name}" for name in evidence.checkpoint.tensors if ".lora_" not in name)


def _is_audio(module: str, family: Family | None) -> bool:
    groups = family.GROUPS if family else {}
    return any(re.search(groups[group], f"{module}.") for group in AUDIO if group in groups)
