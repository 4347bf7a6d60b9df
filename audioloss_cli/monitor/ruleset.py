"""The rules of a monitor, chosen, set up and grouped."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

from audioloss_cli import registry
from audioloss_cli.model import Limits, LossRule, RuleText, SettingError
from audioloss_cli.model.limits import real

_Options = tuple[tuple[str, tuple[tuple[str, float], ...]], ...]  # codes with the options that are set, and to what


@dataclass(frozen=True, slots=True, eq=False)  # monitors share them
class CodedRule:
    """A rule with its stable code and its documentation, which has the advice.

    Attributes:
        per_update: how far the axis of the series moves in one update.
        wait: how far the axis must have moved since the rule began to hold before it fires.
        rank: what speaks when several rules of a group hold: the graver first, then the one that waited longer, then
            the more specific one; one below 0 yields to all that are as grave.
    """

    code: str
    documentation: str
    rule: LossRule
    per_update: float = 1.0
    wait: int = field(init=False)
    rank: tuple[int, int, int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        rule = self.rule
        rank = (rule.severity.rank, min(rule.specific, 0), rule.for_steps, rule.for_points, rule.specific)
        object.__setattr__(self, "rank", rank)
        object.__setattr__(self, "wait", math.ceil((rule.for_steps - 1) * self.per_update))

    @property
    def advice(self) -> str:
        """What to do; empty under ``python -OO``, which strips docstrings: the monitor goes on without."""
        return RuleText.parse(self.documentation, self.code).fix if self.documentation else ""


class RuleGroup(NamedTuple):
    """Rules that share an incident.

    Attributes:
        rules: by rank.
        codes: theirs.
        relative: whether one of them depends on what is usual.
        counts_repeats: whether one of them is asked where a value is repeated, and only there.
    """

    name: str
    rules: Sequence[CodedRule]
    codes: frozenset[str]
    relative: bool
    counts_repeats: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules watch, and how they are set.

    Attributes:
        adaptive: whether rules that compare a series with its own past take part.
        select: codes of the only rules that take part; None for all.
        ignore: codes of rules that do not.
        options: code -> option -> number, for rules that have options.

    Raises:
        SettingError: a code or an option that is not known, a value that is no number above 0, or no rule left.
    """

    adaptive: bool = True
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("select", "ignore"):
            codes = getattr(self, name)
            if codes is not None and (isinstance(codes, str) or not all(isinstance(code, str) for code in codes)):
                raise SettingError(name, f"must be a list of rule codes, not {codes!r}")
            for code in codes or ():
                _check_code(name, code)
            object.__setattr__(self, name, None if codes is None else tuple(codes))
        for code, options in self.options.items():
            _check_code("rules", code)
            _check_options(code, options)
            registry.load("rules", code.replace("-", "_")).Rule(Limits(), **options)
        if not self.codes:
            raise SettingError("select", "leaves no rule: what watches for nothing must not pass")

    @property
    def codes(self) -> Sequence[str]:
        """The rules that take part."""
        return _chosen(tuple(registry.names("rules")), self.adaptive, self.select, self.ignore)


@lru_cache(maxsize=64)
def _chosen(
    names: tuple[str, ...], adaptive: bool, select: tuple[str, ...] | None, ignore: tuple[str, ...]
) -> Sequence[str]:
    chosen = [(name, registry.code_of(name)) for name in names]
    chosen = [(name, code) for name, code in chosen if code not in ignore and (select is None or code in select)]
    return tuple(code for name, code in chosen if adaptive or not registry.load("rules", name).Rule.adaptive)


def rules_by_group(limits: Limits, choice: Choice, per_update: float = 1.0) -> Sequence[RuleGroup]:
    """The chosen rules of ``audioloss_cli/rules`` with these limits, those together that share an incident.

    They are in the order of the groups' names. They keep no state, so monitors share them.
    """
    options = tuple((code, tuple(numbers.items())) for code, numbers in choice.options.items())
    modules = tuple((code, registry.load("rules", code.replace("-", "_"))) for code in choice.codes)
    return _by_group(limits, modules, options, per_update)


def options_of(name: str) -> dict[str, float]:
    """The options of the rule with this file name, and what they are unless they are set."""
    parameters = inspect.signature(registry.load("rules", name).Rule.__init__).parameters.values()
    return {item.name: item.default for item in parameters if item.kind is item.KEYWORD_ONLY}


@lru_cache(maxsize=64)
def _by_group(
    limits: Limits, modules: tuple[tuple[str, ModuleType], ...], options: _Options, per_update: float
) -> Sequence[RuleGroup]:
    groups: dict[str, list[CodedRule]] = {}
    set_up = dict(options)
    for code, module in modules:
        rule = module.Rule(limits, **dict(set_up.get(code, ())))
        groups.setdefault(rule.group, []).append(CodedRule(code, module.__doc__ or "", rule, per_update))
    return [_group(name, rules) for name, rules in sorted(groups.items())]


def _group(name: str, rules: Sequence[CodedRule]) -> RuleGroup:
    return RuleGroup(
        name,
        sorted(rules, key=lambda coded: coded.rank),
        frozenset(coded.code for coded in rules),
        relative=any(inactive.relative for coded in rules for inactive in coded.rule.inactive or ()),
        counts_repeats=any(coded.rule.inactive == () for coded in rules),
    )


def _check_code(setting: str, code: str) -> None:
    known = [registry.code_of(name) for name in registry.names("rules")]
    if code not in known:
        raise SettingError(setting, f"names {code!r}, which is no loss rule; {_hint(code, known, 'audioloss rules')}")


def _check_options(code: str, options: Any) -> None:
    known = list(options_of(code.replace("-", "_")))
    if not isinstance(options, Mapping):
        raise SettingError("rules", f"must give a table of options for {code}, not {options!r}")
    for name, value in options.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise SettingError("rules", f"has no option {name!r} for {code}; its options: {listed}")
        try:
            real("rules", value, above_zero=True)
        except SettingError as error:
            raise SettingError("rules", f"sets {name} of {code}, which {error.complaint}") from None


def _hint(word: str, known: Sequence[str], command: str) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"{command} lists them"
