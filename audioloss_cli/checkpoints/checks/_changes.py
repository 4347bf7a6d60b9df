"""Changes since the base, by what the tensors are for; a private module is no plugin."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audioloss_cli.checkpoints.comparison import Comparison, TensorChange
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import AUDIO, TEXT, members
from audioloss_cli.checkpoints.lora import is_adapter, pairs
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.words import counted

#: What neither text nor audio has for itself.
SHARED = "shared"
WORDS = {"head": "audio head", "embeddings": "audio embeddings", "ffn": "audio FFN"}
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
_SAVED = re.compile(r"\.modules_to_save\.")


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the tensors that a training could have changed.

    Attributes:
        groups: a group of the family, or ``SHARED`` -> name -> change.
        is_lora: whether they are those that a LoRA leaves to be trained as a whole.
    """

    groups: Mapping[str, Mapping[str, TensorChange]]
    is_lora: bool

    def of(self, *groups: str) -> dict[str, TensorChange]:
        """Return name -> change of these groups."""
        return {name: change for group in groups for name, change in self.groups.get(group, {}).items()}

    def unchanged(self, *groups: str) -> list[str]:
        """Return those of the groups that are there and of which no tensor changed."""
        return [each for each in groups if self.groups.get(each) and not changed(self.of(each))]


def changes_of(evidence: CheckpointEvidence) -> Changes:
    """Sort the changes; weights that a LoRA is added to are left out, for the LoRA is trained in their place."""
    found: Mapping[str, TensorChange] = evidence.comparison.changes if evidence.comparison else {}
    adapted = bool(pairs(evidence.checkpoint.tensors))
    alone = is_adapter(evidence.checkpoint)
    if adapted or alone:
        found = {name: each for name, each in found.items() if ".lora_" not in name and (alone or _SAVED.search(name))}
    groups = dict[str, dict[str, TensorChange]]()
    left = dict(found)
    for group in (*AUDIO, *TEXT):
        groups[group] = {name: left.pop(name) for name in members(evidence.family, left, group)}
    return Changes({**groups, SHARED: left}, adapted or alone)


def changed(found: Mapping[str, TensorChange]) -> list[str]:
    """Return the names of what changed."""
    return [name for name, change in found.items() if not change.is_same]


def has_trained(comparison: Comparison | None) -> bool:
    """Whether there may be steps of training between the two, and values of both were compared.

    Two of the same step of which something differs are of two trainings, or one began with the other.
    """
    return (
        comparison is not None
        and (comparison.steps != 0 or bool(changed(comparison.changes)))
        and bool(comparison.changes)
    )


def after(comparison: Comparison) -> str:
    """``after 500 steps``, or who it is compared with where nobody says how many there were."""
    steps = comparison.steps or 0
    return f"after {counted(steps, 'step')}" if steps > 0 else f"since {comparison.path}"


def kinds(names: Iterable[str], tensors: Mapping[str, StoredTensor], *, layers: bool) -> set[str]:
    """Return the kinds of matrices, numbers of layers left out: of layers, or of everything else."""
    matrices = (name for name in names if name in tensors and len(tensors[name].shape) > 1)
    return {_NUMBER.sub("*", name) for name in matrices if bool(_NUMBER.search(name)) == layers}


def vectors(names: Iterable[str], tensors: Mapping[str, StoredTensor]) -> list[str]:
    """Return the names of norms and biases."""
    return [name for name in names if name in tensors and len(tensors[name].shape) == 1]
