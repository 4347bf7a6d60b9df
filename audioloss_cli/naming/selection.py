"""Which series of a run are audited: audio losses by name, or the training loss for want of one."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

from audioloss_cli.naming.pattern import TagPattern
from audioloss_cli.naming.roles import Role, Tag, classify

Why = Literal["audio", "training", "selected", "loss"]
_MOST_CLOSE = 2000  # tags among which a mistyped one is looked for


class Selection(NamedTuple):
    """Tags to audit, each with why.

    Attributes:
        roles: the tags.
        fell_back: whether the training loss stands in for an audio loss of the training.
        for_want_of_a_total: whether, with no training loss either, losses of a part of it do.
    """

    roles: dict[str, Why]
    fell_back: bool = False
    for_want_of_a_total: bool = False


def select(names: Mapping[str, str], wanted: Sequence[TagPattern] = (), *, all_losses: bool = False) -> Selection:
    """Choose among the scalar tags of one run; the order is theirs.

    Args:
        names: each tag, and the name by which to judge it (see ``full_name``).
        wanted: when given, nothing else counts.
        all_losses: every tag with a loss in its name, held-out ones too.

    A held-out audio loss is audited as well, for near zero is as wrong there, but stands in for nothing. A run without
    a training loss is audited by the losses of a part of the training that name audio, such as a mel loss; for want of
    those by the loss of its policy.
    """
    if wanted:
        return Selection(dict.fromkeys((tag for tag in names if any(each.matches(tag) for each in wanted)), "selected"))
    losses = {tag: found for tag, name in names.items() if (found := classify(name)).role.is_loss and found.says_loss}
    if all_losses:
        return Selection(dict.fromkeys(losses, "loss"))
    roles: dict[str, Why] = {tag: "audio" for tag, found in losses.items() if found.role is Role.AUDIO}
    if any(not losses[tag].held_out for tag in roles):
        return Selection(roles)
    others = {tag: found for tag, found in losses.items() if tag not in roles and not found.held_out}
    training = _training_losses(others)
    parts = frozenset[str]() if training else _parts(others)
    chosen = training | parts
    return Selection(
        {tag: roles.get(tag, "training") for tag in names if tag in roles or tag in chosen}, bool(chosen), bool(parts)
    )


def full_name(tag: str, directory: str) -> str:
    """The name of a scalar that torch's ``add_scalars(tag, {key: ...})`` put into a directory of its own: ``tag/key``.

    The directory is called ``<tag with / as _>_<key>`` (torch/utils/tensorboard/writer.py).
    """
    prefix = tag.replace("/", "_") + "_"
    key = directory.removeprefix(prefix)
    return f"{tag}/{key}" if key != directory and key else tag


def closest(wanted: Iterable[str], tags: Sequence[str]) -> list[str]:
    """Tags that a mistyped pattern may have meant."""
    short = [tag for tag in tags[:_MOST_CLOSE] if len(tag) < 200]  # noqa: PLR2004  # difflib is quadratic in them
    return [match for pattern in wanted for match in get_close_matches(pattern[:200], short, n=1)]


def _training_losses(losses: Mapping[str, Tag]) -> frozenset[str]:
    """Those whose whole name is that of a training loss; for want of any, those whose last part is (``G/loss``)."""
    kept = {tag: found for tag, found in losses.items() if found.role is Role.TRAINING}
    chosen = [tag for tag, found in kept.items() if not found.part] or list(kept)
    without_summary = [tag for tag in chosen if not kept[tag].is_summary]
    plain = any(_last_word_is_loss(kept[tag]) for tag in chosen)
    return frozenset(without_summary if plain else chosen)


def _parts(losses: Mapping[str, Tag]) -> frozenset[str]:
    """Those of a part of the training that can stand for all of it."""
    of_audio = frozenset(tag for tag, found in losses.items() if found.role is Role.LOSS and found.names_audio)
    return of_audio or frozenset(tag for tag, found in losses.items() if found.of_a_policy)


def _last_word_is_loss(tag: Tag) -> bool:
    """``train/loss`` beside ``train/train_loss``: the latter is a summary."""
    parts = tag.name.replace(".", "/").rsplit("/", 1)
    return classify(parts[-1]).words == "loss" if len(parts) > 1 else tag.words == "loss"
