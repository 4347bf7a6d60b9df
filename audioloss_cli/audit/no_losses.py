"""What is asked of a series that a user names with --tag and that is no loss by its role."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from audioloss_cli.model import Incident
from audioloss_cli.model.rule import Kind
from audioloss_cli.naming import Role, Tag
from audioloss_cli.naming.selection import Why

_ANY = frozenset({"missing-loss", "non-finite-loss", "series-ends-early"})
_LOSS = re.compile(r"\bloss\b")


class Asked(NamedTuple):
    """What makes sense for a role.

    Attributes:
        kind: under which the rules look at it.
        rules: codes of those that do.
        advice: what to do, in place of the advice about losses.
    """

    kind: Kind
    rules: frozenset[str]
    advice: str


_ROLES = {
    Role.GRAD_NORM: Asked(
        "small",
        _ANY | {"frozen-loss", "loss-spike"},
        "Look at the batches of these steps and at the scale of the loss; clip gradients, and log norms before that.",
    ),
    # A schedule may stay where it is for as long as it likes, and jump at a restart.
    Role.LEARNING_RATE: Asked("rl", _ANY, "Look at the schedule and at what the optimiser has for its learning rate."),
    # A score may jump; the same one again and again means that nothing changes, or that one result is logged anew.
    Role.SCORE: Asked(
        "small", _ANY | {"frozen-loss"}, "Look at how the score is computed, over which samples, and when it is logged."
    ),
}
_OTHERS = Asked("rl", _ANY, "Look at how this series is computed and logged.")


def asked_of(tag: Tag, why: Why) -> Asked | None:
    """What makes sense for what the user names with --tag; None for a loss, to which every rule applies.

    What is called a loss is one, whatever else its name says; only what a trainer computes beside it is none.
    """
    if why != "selected" or tag.role.is_loss or (tag.role is Role.OTHER and tag.says_loss):
        return None
    return _ROLES.get(tag.role, _OTHERS)


def reason_of(tag: Tag) -> str:
    """Why such a series is no loss, as a clause."""
    if tag.role is Role.OTHER:
        return "nothing in its name says that it is a loss"
    return f"it is a {tag.role} by its name, and no loss"


def left_out(asked: Asked, codes: Sequence[str]) -> list[str]:
    """Codes of rules that are not asked; none if none of those that make sense is among them."""
    others = [code for code in codes if code not in asked.rules]
    return others if len(others) < len(codes) else []


def in_its_words(role: Role, asked: Asked, incidents: Iterable[Incident]) -> None:
    """Have incidents speak of what the series is, and not of a loss."""
    for incident in incidents:
        incident.message = _LOSS.sub(str(role) if role is not Role.OTHER else "value", incident.message)
        incident.advice = asked.advice
