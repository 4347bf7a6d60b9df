"""Toy rules: they hold where they are told to, in a group, and for as long as a test needs."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from audioloss_cli import AudioLossMonitor, Severity, registry
from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory


@dataclass
class Toy(LossRule):
    """``where`` gets a step and a value; a ``name`` is a rule's file name."""

    name: str
    where: Callable[[int, float], bool | None]
    severity: Severity = Severity.CRITICAL
    group: str = "toys"
    for_steps: int = 1
    for_points: int = 1
    inactive: tuple[InactiveRange, ...] | None = None

    @property
    def type(self) -> str:
        return self.name

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        return self.where(point.step, point.value)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        return f"{points} points from step {since} to {point.step}"


def watched_by(*rules: str | Toy, **limits: Any) -> AudioLossMonitor:
    """A monitor with these rules only: names of real ones, and toys."""
    load, modules = registry.load, {rule if isinstance(rule, str) else rule.name: rule for rule in rules}

    def load_either(folder: str, name: str) -> ModuleType:
        toy = modules[name]
        if isinstance(toy, str):
            return load(folder, name)
        module = ModuleType(name, "A toy.\n\nWhat: x.\n\nWhy: y.\n\nFix: Put it away.\n")
        module.Rule = lambda limits: toy
        return module

    with pytest.MonkeyPatch.context() as patch:  # a monitor asks the registry once, when it is made
        patch.setattr(registry, "names", lambda folder: tuple(sorted(modules)))
        patch.setattr(registry, "load", load_either)
        return AudioLossMonitor(**limits)


PLAIN = ("critical-loss", "low-loss", "missing-loss", "non-finite-loss", "sustained-low-loss")


def plain_monitor(*args: Any, **options: Any) -> AudioLossMonitor:
    """Only the rules of the fixed thresholds: what others may say of made-up values is not at issue."""
    return AudioLossMonitor(*args, **options, adaptive=False, select=PLAIN)
