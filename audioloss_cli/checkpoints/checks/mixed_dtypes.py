"""A few weights have another precision than those around them.

What: In one kind of module, of all layers, a few tensors have another floating-point dtype than all others: a weight in
fp32 or fp16 among bf16 ones. Norms, biases, scales, routers and LoRA of another precision than the weights are usual
and none of these, and so are quantised models.

Why: They were put there by another program or another save: converted, merged or patched by hand, and perhaps of
another step. A loader casts them without a word.

Fix: Find out where these tensors come from. If they are right, save the model again in one dtype:
``model.to(torch.bfloat16).save_pretrained(...)``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Problem, Severity

_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")
_FEWEST = 4  # tensors of a kind, of which a few can differ
_FEW = 0.25  # of them


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield one problem that names them."""
    groups = _groups(evidence)
    odd: list[str] = []
    for names in groups.values():
        counts = Counter(dtype for _, dtype in names)
        usual, most = counts.most_common(1)[0]
        if len(names) >= _FEWEST and len(names) * (1 - _FEW) <= most < len(names):
            odd += [f"{name} ({dtype}, others {usual})" for name, dtype in names if dtype != usual]
    if odd:
        text = f"{counted(len(odd), 'tensor')} of another dtype than those of the same kind: {listed(odd)}"
        yield Problem(Severity.WARNING, text, {"tensors": odd[:100]})


def passed(evidence: CheckpointEvidence) -> str:
    """Tell how many kinds of tensors were looked at."""
    count = sum(len(names) >= _FEWEST for names in _groups(evidence).values())
    return f"tensors have one dtype in each of {counted(count, 'kind')} of module" if count else ""


def _groups(evidence: CheckpointEvidence) -> dict[str, list[tuple[str, str]]]:
    """Return names and dtypes of floating-point tensors, taken together where only numbers in their names differ."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, tensor in evidence.checkpoint.tensors.items():
        if tensor.dtype in _FLOATS:
            groups[_NUMBER.sub("*", name)].append((name, tensor.dtype))
    return groups
