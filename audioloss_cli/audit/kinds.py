"""What kind of loss an audited series is: what the user says, or what the log itself is evidence for.

The thresholds of the contract hold unless there is evidence that a loss is small by nature: in its name, in its values,
in the other series of its run, in the files beside the log. Where nothing tells, the kind is ``open``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from audioloss_cli.audit import evidence
from audioloss_cli.audit.no_losses import asked_of, reason_of
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Series
from audioloss_cli.model.rule import Kind
from audioloss_cli.naming import Role
from audioloss_cli.naming.nature import is_of_policy
from audioloss_cli.naming.selection import Why
from audioloss_cli.runs.companions import RunTags

_LARGE = 100  # warning thresholds
_KINDS_OF_TASKS: dict[str, Kind] = {
    "preference": "rl",
    "recognition": "small",
    "classification": "small",
    "diffusion": "small",
}


class Declared(NamedTuple):
    """A kind and why; None leaves the guess to the monitor, which sees the first value."""

    kind: Kind | None
    reason: str = ""


def kind_of(
    series: Series,
    why: Why,
    tags: RunTags,
    siblings: Sequence[Series],
    config: ScanConfig,
) -> Declared:
    """The kind of one series.

    Args:
        series: the series.
        why: why it is audited.
        tags: every series of its run, what its name says, and the files beside the log.
        siblings: the losses of the other codebooks: where one is a cross entropy, all are.
        config: what the user declares; thresholds and scale.
    """
    kind = next(kind for pattern, kind in config.declared_kinds if pattern.matches(series.tag))
    if kind is not None:
        return Declared(kind, f"declared as {kind}")
    if not config.adaptive:
        return Declared(None)
    threshold, tag = config.threshold * config.scale, tags.tags[series.tag]
    if asked := asked_of(tag, why):
        return Declared(asked.kind, reason_of(tag))
    found = _by_itself(series, tags, threshold)
    if found is None and tag.of_a_policy:
        found = Declared("rl", "the loss of a policy by its name")
    if found is None:
        found = _of_codes(series, why, tags, siblings, threshold)
    return found or _by_the_run(series, tags, threshold)


def _of_codes(series: Series, why: Why, tags: RunTags, siblings: Sequence[Series], threshold: float) -> Declared | None:
    """What the user names as a loss, whatever it is called, and the losses of audio codes; None for any other."""
    tag = tags.tags[series.tag]
    if why == "selected" and tag.role is Role.OTHER:
        return Declared(None)
    if tag.role is not Role.AUDIO and not siblings:
        return None
    quantised = evidence.quantised_beside(series, tags) if tag.codebook is not None else ""
    return Declared("small", quantised) if quantised and not _are_large(siblings, threshold) else Declared(None)


def _are_large(siblings: Sequence[Series], threshold: float) -> bool:
    """Whether one of the codebooks starts as no distance between vectors does: above 1 nat."""
    return any(next(iter(evidence.finite(each)), 0.0) > _LARGE * threshold for each in siblings)


def _by_itself(series: Series, tags: RunTags, threshold: float) -> Declared | None:
    """By its name and its values."""
    tag = tags.tags[series.tag]
    nature = evidence.by_name(tag)
    negative = evidence.negative(series, threshold)
    if negative:
        policy = tags.has_rewards or evidence.of_policy(tags) or is_of_policy(tag.words)
        return Declared("rl" if policy and tag.role is not Role.AUDIO else "signed", negative)
    if nature is not None:
        return Declared(nature.size, f"{nature.word!r} in its name is a word for {nature.what}")
    return None


def _by_the_run(series: Series, tags: RunTags, threshold: float) -> Declared:
    """By what stands beside it: whatever decides is named, and where nothing does the kind is open."""
    if policy := "rewards are logged in the same run" if tags.has_rewards else evidence.of_policy(tags):
        return Declared("rl", policy)
    known = tags.files()
    kind = _KINDS_OF_TASKS.get(known.task)
    if known.task == "speech" or kind is not None:
        return Declared(kind, known.task_reason if kind else "")
    for reason in (
        evidence.scored(series, tags),
        evidence.regression(series, tags),
        evidence.distances_beside(series, tags),
        evidence.scaled_copy(series, tags),
        evidence.a_term(series, tags),
        evidence.memorised(series, tags, threshold),
    ):
        if reason:
            return Declared("small", reason)
    return Declared("open")
