"""Which series of a run are audited: audio losses by name, or the training loss for want of one."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

from audioloss_cli.naming.pattern import TagPattern
from audioloss_cli.naming.roles import Role, Tag, classify

Why = Literal["audio", "training", "selected", "loss"]
_MOST_CLOSE = 2000  # tags among which a mistyped one is looked for


class Selection(NamedTuple):
    """Tags to audit, each with why; whether the training loss stands in for an audio loss of the training."""

    roles: dict[str, Why]
    fell_back: bool = False


def select(names: Mapping[str, str], wanted: Sequence[TagPattern] = (), *, all_losses: bool = False) -> Selection:
    """Choose among the scalar tags of one run; the order is theirs.

    Args:
        names: each tag, and the name by which to judge it (see ``full_name``).
        wanted: when given, nothing else counts.
        all_losses: every tag with a loss in its name, held-out ones too.

    A held-out audio loss is audited as well, for near zero is as wrong there, but stands in for nothing.
    """
    if wanted:
        return Selection(dict.fromkeys((tag for tag in names if any(each.matches(tag) for each in wanted)), "selected"))
    losses = {tag: found for tag, name in names.items() if (found := classify(name)).role.is_loss and found.says_loss}
    if all_losses:
        return Selection(dict.fromkeys(losses, "loss"))
    roles: dict[str, Why] = {tag: "audio" for tag, found in losses.items() if found.role is Role.AUDIO}
    if any(not losses[tag].held_out for tag in roles):
        return Selection(roles)
    training = _training_losses({tag: found for tag, found in losses.items() if tag not in roles})
    return Selection(
        {tag: roles.get(tag, "training") for tag in names if tag in roles or tag in training}, bool(training)
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
    kept = {tag: found for tag, found in losses.items() if found.role is Role.TRAINING and not found.held_out}
    chosen = [tag for tag, found in kept.items() if not found.part] or list(kept)
    without_summary = [tag for tag in chosen if not kept[tag].is_summary]
    plain = any(_last_word_is_loss(kept[tag]) for tag in chosen)
    return frozenset(without_summary if plain else chosen)


def _last_word_is_loss(tag: Tag) -> bool:
    """``train/loss`` beside ``train/train_loss``: the latter is a summary."""
    parts = tag.name.replace(".", "/").rsplit("/", 1)
    return classify(parts[-1]).words == "loss" if len(parts) > 1 else tag.words == "loss"
