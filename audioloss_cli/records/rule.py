"""What a loss rule is, and how its documentation is read."""

import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol, Self

from audioloss_cli.records.alert import Severity
from audioloss_cli.records.limits import Limits


class LossRule(Protocol):
    """A condition on one point of a loss series. The monitor alone knows time: pending, firing, clearing, grouping.

    Attributes:
        type: the alert type that callers compare with, such as ``critical``.
        severity: of its alerts.
        group: rules of one group describe one kind of trouble and share one incident, in which the worst of them
        speaks. for_steps: steps for which the condition must have held, without a break, before it fires.
        for_points: points for which it must have held.
        quiet: a half-open interval ``low <= value < high`` in which the rule can neither hold nor lack evidence.
    """

    type: str
    severity: Severity
    group: str
    for_steps: int
    for_points: int
    quiet: tuple[float, float]

    def __init__(self, limits: Limits) -> None: ...

    def holds(self, step: int, value: float) -> bool | None:
        """Whether the condition holds at this point; None when the point says nothing about it."""
        ...

    def worse(self, value: float, than: float) -> bool:
        """Whether ``value`` is the worse of two values at which the group held."""
        ...

    def explain(self, step: int, value: float, since: int, points: int) -> str:
        """One sentence: what holds at ``step``, having held since step ``since`` at ``points`` points."""
        ...


@dataclass(frozen=True, slots=True)
class RuleText:
    """The documentation of a rule or a check: its module's docstring, cut at What / Why / Fix.

    Attributes:
        title: first line.
        what: the condition.
        why: what it means for the training run.
        fix: what to do about it.
    """

    title: str
    what: str
    why: str
    fix: str

    @classmethod
    def of(cls, module: ModuleType) -> Self:
        """Read the docstring of ``module``.

        Raises:
            ValueError: a section is missing.
        """
        return cls.parse(module.__doc__ or "", module.__name__)

    @classmethod
    def parse(cls, docstring: str, name: str) -> Self:
        """Cut the docstring of the module ``name``.

        Raises:
            ValueError: a section is missing.
        """
        text = inspect.cleandoc(docstring)
        title, *paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
        found = dict(part.split(": ", 1) for part in paragraphs if ": " in part)
        try:
            return cls(title, found["What"], found["Why"], found["Fix"])
        except KeyError as missing:
            raise ValueError(f"{name}: the docstring has no section {missing.args[0]}:") from None
