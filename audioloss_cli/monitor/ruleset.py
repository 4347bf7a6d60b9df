"""The rules of a monitor, by group, and the interval of values in which none of them has anything to say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from audioloss_cli import registry
from audioloss_cli.records import Limits, LossRule, RuleText


@dataclass(frozen=True, slots=True)
class CodedRule:
    """A rule with its stable code and the advice of its documentation.

    Attributes:
        rank: what speaks when several rules of a group hold: the graver first, then the one that waited longer.
    """

    code: str
    advice: str
    rule: LossRule
    rank: tuple[int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        rule = self.rule
        object.__setattr__(self, "rank", (rule.severity.rank, rule.for_steps, rule.for_points))


def coded_rules(limits: Limits) -> list[CodedRule]:
    """Every rule of ``audioloss_cli/rules`` with these limits."""
    return [_coded(name, limits) for name in registry.names("rules")]


def by_group(rules: Sequence[CodedRule]) -> dict[str, list[CodedRule]]:
    """The rules that share an incident, in the order of the groups' names."""
    groups: dict[str, list[CodedRule]] = {}
    for coded in sorted(rules, key=lambda coded: coded.rule.group):
        groups.setdefault(coded.rule.group, []).append(coded)
    return groups


def quiet_interval(rules: Sequence[CodedRule]) -> tuple[float, float]:
    """The half-open interval ``low <= value < high`` that is quiet for every rule."""
    return max(coded.rule.quiet[0] for coded in rules), min(coded.rule.quiet[1] for coded in rules)


def _coded(name: str, limits: Limits) -> CodedRule:
    rule = cast("LossRule", registry.load("rules", name).Rule(limits))
    return CodedRule(registry.code_of(name), _advice(name), rule)


@cache
def _advice(name: str) -> str:
    """Empty under ``python -OO``, which strips docstrings: the monitor goes on without."""
    module = registry.load("rules", name)
    return RuleText.of(module).fix if module.__doc__ else ""
