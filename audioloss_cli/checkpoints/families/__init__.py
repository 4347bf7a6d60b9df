"""Model families, one a module: which tensors are the audio's, and what a configuration says of their shapes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from audioloss_cli import registry

FOLDER = "checkpoints.families"


class Family(Protocol):
    """A module of this folder.

    Attributes:
        NAME: in words, such as ``Higgs Audio v2 (transformers)``.
        GROUPS: ``head``, ``embeddings``, ``ffn``, ``text_head``, ``text_embeddings`` -> regular expression that is
            searched in the names of tensors; groups that the family has not are left out.
    """

    NAME: str
    GROUPS: Mapping[str, str]

    def serves(self, config: Mapping[str, Any], names: Iterable[str]) -> bool:
        """Whether a checkpoint is of this family: by its configuration, else by the names of its tensors."""
        ...


def family_of(config: Mapping[str, Any], names: Iterable[str]) -> "Family | None":
    """Return the family of a checkpoint; None if it is of none that is known."""
    listed = list(names)
    families = (cast("Family", registry.load(FOLDER, name)) for name in registry.names(FOLDER))
    return next((each for each in families if each.serves(config, listed)), None)


def members(family: "Family | None", names: Iterable[str], *groups: str) -> list[str]:
    """Return the names that belong to these groups of the family, sorted; none where there is no family."""
    patterns = [re.compile(family.GROUPS[group]) for group in groups if group in family.GROUPS] if family else []
    return sorted(name for name in names if any(pattern.search(name) for pattern in patterns))
