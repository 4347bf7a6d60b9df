"""The rules of a monitor, by group, and the interval of values in which none of them has anything to say."""

from collections.abc import Sequence
from functools import cache
from typing import cast

from audioloss_cli import registry
from audioloss_cli.monitor.point import CodedRule
from audioloss_cli.records import Limits, LossRule, RuleText


def coded_rules(limits: Limits) -> list[CodedRule]:
    """Every rule of ``audioloss_cli/rules`` with these limits; the code is the file name, with hyphens."""
    return [_coded(name, limits) for name in registry.names("rules")]


def by_group(rules: Sequence[CodedRule]) -> dict[str, list[CodedRule]]:
    """The rules that share an incident, the groups with the gravest rule first."""
    groups: dict[str, list[CodedRule]] = {}
    for coded in sorted(rules, key=lambda coded: coded.rank, reverse=True):
        groups.setdefault(coded.rule.group, []).append(coded)
    return groups


def quiet_interval(rules: Sequence[CodedRule]) -> tuple[float, float]:
    """The half-open interval ``low <= value < high`` that is quiet for every rule."""
    return max(coded.rule.quiet[0] for coded in rules), min(coded.rule.quiet[1] for coded in rules)


def _coded(name: str, limits: Limits) -> CodedRule:
    rule = cast("LossRule", registry.load("rules", name).Rule(limits))
    return CodedRule(name.replace("_", "-"), _advice(name), rule)


@cache
def _advice(name: str) -> str:
    return RuleText.of(registry.load("rules", name)).fix
