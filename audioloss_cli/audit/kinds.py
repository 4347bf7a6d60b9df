"""What kind of loss an audited series is: what the user says, or what its run and its start tell."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Series
from audioloss_cli.model.rule import Kind
from audioloss_cli.naming.selection import Why
from audioloss_cli.runs.companions import RunTags

_CHANCE = math.log(1026)  # of Higgs Audio's codes, in nats
# Fine-tunes of an audio language model start between 4 and 8 nats; at less than this share of chance the loss of a run
# that names no audio is one of something else: speech recognition, classification, regression.
_LEAST_SHARE = 0.6


class Declared(NamedTuple):
    """A kind and why; None leaves the guess to the monitor, which sees the first value."""

    kind: Kind | None
    reason: str = ""


def kind_of(series: Series, why: Why, tags: RunTags, siblings: Sequence[Series], config: ScanConfig) -> Declared:
    """The kind of one series.

    Args:
        series: the series.
        why: why it is audited.
        tags: every series of its run, and what its name says.
        siblings: the losses of the other codebooks: where one is a cross entropy, all are.
        config: what the user declares; thresholds and scale.
    """
    kind = next(kind for pattern, kind in config.declared_kinds if pattern.matches(series.tag))
    if kind is not None:
        return Declared(kind, f"declared as {kind}")
    if config.adaptive and tags.tags[series.tag].of_a_policy:
        return Declared("rl", "the loss of a policy by its name")
    if config.adaptive and any(_start(kin) >= _LEAST_SHARE * _CHANCE * config.scale for kin in siblings):
        return Declared("ce")
    if not config.adaptive or why not in ("training", "loss"):
        return Declared(None)
    if tags.has_rewards and _start(series) < _LEAST_SHARE * _CHANCE * config.scale:
        return Declared("rl", "rewards are logged in the same run")
    return _by_start(series, config) if not tags.names_audio else Declared(None)


def _start(series: Series) -> float:
    return next((value for value in series.values if math.isfinite(value)), 0.0)


def _by_start(series: Series, config: ScanConfig) -> Declared:
    start, unit = _start(series), config.scale
    if not 2 * config.threshold * unit <= start < _LEAST_SHARE * _CHANCE * unit:
        return Declared(None)
    return Declared("small", f"no audio is named in the run, and it starts at {start:.4g}, far below ln 1026 = 6.933")
