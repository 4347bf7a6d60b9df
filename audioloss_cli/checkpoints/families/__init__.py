"""Model families, one a module: which tensors are the audio's, and what a configuration says of their shapes."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.checkpoints.names import own

FOLDER = "checkpoints.families"
#: Groups that speech passes through and text does not.
AUDIO = ("head", "embeddings", "ffn")
#: Groups that it does not pass through.
TEXT = ("text_head", "text_embeddings", "text_ffn", "encoders")


class Axis(NamedTuple):
    """How long an axis is by the configuration, and the settings that say so."""

    length: int
    words: str


class Expected(NamedTuple):
    """One tensor that a configuration asks for.

    Attributes:
        group: one of the family's groups.
        name: without prefixes of wrappers (``names.own``).
        shape: length of each axis; None where the configuration does not say.
        books: of so many codebooks it holds rows, one block behind another along the first axis; 0 for none.
        first_book: number of the first of them.
        tied: name of the tensor that is the same one, so that only one of the two need be there.
        optional: whether a model may lack it.
    """

    group: str
    name: str
    shape: tuple[Axis | None, ...]
    books: int = 0
    first_book: int = 0
    tied: str = ""
    optional: bool = False


class Family(Protocol):
    """A module of this folder.

    Attributes:
        NAME: in words, such as ``Higgs Audio v2 (transformers)``.
        GROUPS: ``head``, ``embeddings``, ``ffn``, ``text_head``, ``text_embeddings``, ``text_ffn`` (of layers that have
            one of their own for audio), ``encoders`` (of audio that is heard and of prompts) -> regular expression that
            is searched in the names of tensors; groups that the family has not are left out.
    """

    NAME: str
    GROUPS: Mapping[str, str]

    def serves(self, config: Mapping[str, Any], names: Iterable[str]) -> bool:
        """Whether a checkpoint is of this family: by its configuration, else by the names of its tensors."""
        ...

    def expected(self, config: Mapping[str, Any]) -> Sequence[Expected]:
        """Return the audio's tensors and the text's vocabulary, as far as a configuration tells of them."""
        ...


def family_of(config: Mapping[str, Any], names: Iterable[str]) -> "Family | None":
    """Return the family of a checkpoint; None if it is of none that is known and no name speaks of audio codes.

    What the configuration says goes before what names look like.
    """
    listed = list(names)
    families = [cast("Family", registry.load(FOLDER, name)) for name in registry.names(FOLDER)]
    for said, looked_at in ((config, list[str]()), ({}, listed)):
        found = next((each for each in families if each.serves(said, looked_at)), None)
        if found is not None:
            return found
    return _by_words(listed)


def audio_groups(name: str) -> dict[str, str]:
    """Return group -> regular expression of the audio's parameters, for the family of that module."""
    groups = cast("Family", registry.load(FOLDER, name)).GROUPS
    return {group: groups[group] for group in AUDIO if group in groups}


def members(family: "Family | None", names: Iterable[str], *groups: str) -> list[str]:
    """Return the names that belong to these groups of the family, sorted; none where there is no family."""
    patterns = [re.compile(family.GROUPS[group]) for group in groups if group in family.GROUPS] if family else []
    return sorted(name for name in names if any(pattern.search(name) for pattern in patterns))


def placed(expected: Sequence[Expected], names: Iterable[str]) -> dict[str, str]:
    """Return expected name -> name in the checkpoint, of those that are there.

    A wrapper may have put the model under a name of its own: the one under which most are found counts.
    """
    stored = {own(name): name for name in sorted(names, key=len, reverse=True)}
    wanted = {each.name for each in expected}
    front = "" if wanted & stored.keys() else _front(stored, wanted)
    places = {
        name: next((each for each in (front + name, f"{front}model.{name}") if each in stored), "") for name in wanted
    }
    return {each.name: stored[places[each.name]] for each in expected if places[each.name]}


def _front(names: Iterable[str], wanted: set[str]) -> str:
    """Return what most names have before one that is wanted, without the model's own ``model.``."""
    fronts, starts = Counter[str](), {name.partition(".")[0] for name in wanted}
    for name in names:
        parts = name.split(".")
        for at, part in enumerate(parts):
            if part in starts and ".".join(parts[at:]) in wanted:
                fronts[f"{'.'.join(parts[:at])}.".removesuffix("model.")] += 1
    return fronts.most_common(1)[0][0] if fronts else ""


def _by_words(names: list[str]) -> "Family | None":
    from audioloss_cli.checkpoints.families import _other as other  # noqa: PLC0415  # it needs what stands above

    return cast("Family", other) if other.serves({}, names) else None
