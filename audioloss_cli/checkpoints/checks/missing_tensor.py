"""A layer of the model is missing, a tensor that every other layer has, or the embeddings of the text.

What: The files hold fewer layers than config.json says, or leave numbers out; or a layer that is neither the first nor
the last lacks a tensor that all others have; or a family that embeds text has no tensor for it. Adapters, which hold
some of a model by design, are not judged.

Why: Loaders fill in what is missing with random numbers, and say so in a warning at most.

Fix: Save the model again, and compare the names of its state dict with those of the file.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import members
from audioloss_cli.checkpoints.lora import is_adapter
from audioloss_cli.model import Problem, Severity

_LAYER = re.compile(r"(.*?\b(?:layers?|h|blocks?))\.(\d{1,4})\.(.+)", re.DOTALL)
_TEXT = "text_embeddings"
_FEWEST = 4  # layers, of which all but one are a rule
_IN_COMMON = 4  # tensors that layers of one kind have
_MOST = 1000  # layers that a configuration may say
_LEAST_SHARE = 0.5  # of the layers of config.json: fewer are layers of something else


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """First whole layers, then tensors of layers."""
    stacks = _stacks(evidence)
    lost = list(_lost_layers(evidence, stacks))
    if lost:
        yield Problem(Severity.CRITICAL, f"layers are missing: {listed(lost)}", {"layers": lost})
    if not _embeds_text(evidence):
        yield Problem(Severity.CRITICAL, "the embeddings of the text are missing", {"group": _TEXT})
    lacking = sorted(name for stack, layers in stacks.items() for name in _lacking(stack, layers))
    if lacking:
        what = counted(len(lacking), "tensor that every other layer has is", "tensors that every other layer has are")
        yield Problem(Severity.CRITICAL, f"{what} missing: {listed(lacking)}", {"tensors": lacking[:100]})


def passed(evidence: CheckpointEvidence) -> str:
    """How many layers were looked at."""
    stacks = _stacks(evidence)
    if not stacks or any(True for _ in check(evidence)):
        return ""
    return f"{counted(sum(map(len, stacks.values())), 'layer')} in a row, each with the tensors of the others"


def _embeds_text(evidence: CheckpointEvidence) -> bool:
    """Whether a model of a known family has the table that its configuration wants text to go in by."""
    checkpoint, family = evidence.checkpoint, evidence.family
    if family is None or not checkpoint.config or not checkpoint.tensors or is_adapter(checkpoint):
        return True
    tables = [each for each in family.expected(checkpoint.config) if each.group == _TEXT and not each.optional]
    return not tables or bool(members(family, checkpoint.tensors, _TEXT))


def _stacks(evidence: CheckpointEvidence) -> dict[str, dict[int, set[str]]]:
    """Return name of a stack -> number of a layer -> what it holds, but for an FFN that some layers have by design."""
    checkpoint = evidence.checkpoint
    if is_adapter(checkpoint):
        return {}
    by_design = set(members(evidence.family, checkpoint.tensors, "ffn"))
    found = defaultdict[str, dict[int, set[str]]](lambda: defaultdict(set))
    for name in checkpoint.tensors:
        match = _LAYER.fullmatch(name)
        if match and name not in by_design:
            found[match[1]][int(match[2])].add(match[3])
    return {stack: dict(layers) for stack, layers in found.items() if _is_stack(layers)}


def _is_stack(layers: Mapping[int, set[str]]) -> bool:
    """Whether these are layers of one kind: the items of a sequence of other things have little in common."""
    return len(layers) > 1 and len(set[str].intersection(*layers.values())) >= _IN_COMMON


def _lost_layers(evidence: CheckpointEvidence, stacks: Mapping[str, Mapping[int, set[str]]]) -> Iterator[str]:
    for stack, layers in stacks.items():
        gaps = sorted(set(range(max(layers))) - layers.keys()) if len(layers) >= _FEWEST else []
        yield from (f"{stack}.{number}" for number in gaps[: len(layers)])
    said = evidence.checkpoint.config.get("num_hidden_layers")
    longest = max(stacks, key=lambda stack: max(stacks[stack]), default=None)
    if type(said) is int and longest is not None:
        there = max(stacks[longest]) + 1
        if _LEAST_SHARE * said < there < said <= _MOST:
            yield from (f"{longest}.{number}" for number in range(there, said))


def _lacking(stack: str, layers: Mapping[int, set[str]]) -> Iterator[str]:
    """Tensors that all layers but one between the first and the last have."""
    if len(layers) < _FEWEST:
        return
    counts = defaultdict[str, int](int)
    for held in layers.values():
        for name in held:
            counts[name] += 1
    common = {name for name, count in counts.items() if count == len(layers) - 1}
    for number, held in layers.items():
        if min(layers) < number < max(layers):
            yield from (f"{stack}.{number}.{name}" for name in common - held)
