"""What the state machine works on: a point, and a rule with its code."""

from typing import NamedTuple

from audioloss_cli.records import LossRule


class Point(NamedTuple):
    """One point of a series: training step, loss as logged, Unix seconds (NaN when unknown)."""

    step: int
    value: float
    wall_time: float


class CodedRule:
    """A rule with its stable code and the advice of its documentation.

    Attributes:
        rank: what speaks when several rules of a group hold: the graver first, then the one that waited longer.
    """

    __slots__ = ("advice", "code", "rank", "rule")

    def __init__(self, code: str, advice: str, rule: LossRule) -> None:
        self.code = code
        self.advice = advice
        self.rule = rule
        self.rank = (rule.severity.rank, rule.for_steps)
