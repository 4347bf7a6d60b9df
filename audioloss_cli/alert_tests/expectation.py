"""What a test expects: alerts at their steps, and what fires at a step."""

from dataclasses import dataclass
from typing import Any, get_args

from audioloss_cli.alert_tests.happened import Happened, rules
from audioloss_cli.alert_tests.table import Table
from audioloss_cli.config import ConfigError
from audioloss_cli.model import Severity
from audioloss_cli.model.alert import ALERT_TYPES, EdgeKind

LAST_STEP = 2**62  # steps are int64, and a test adds some to its first
_EDGES = frozenset(get_args(EdgeKind)) - {"reminder"}  # a reminder says nothing new, and no timeline holds it
_NAMES = ("code", "type", "severity")


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert that must be raised; None where anything will do.

    Attributes:
        step: training step.
        code: of the rule that speaks.
        type: alert type.
        severity: of the alert.
        edge: what happens to the incident; None is any but ``recovered``: a recovery must be asked for as such.
        tag: of the series.
    """

    step: int
    code: str | None = None
    type: str | None = None
    severity: str | None = None
    edge: str | None = None
    tag: str | None = None

    @classmethod
    def parse(cls, content: Any, where: str, tags: list[str]) -> "ExpectedAlert":
        """Check one item of ``alerts``.

        Raises:
            ConfigError: it makes no sense, or would match any alert of its step.
        """
        table = Table(content, where, ("step", *_NAMES, "edge", "tag"))
        if not any(name in table for name in _NAMES):
            raise ConfigError(
                f"{where} must name what is expected beside the step: {', '.join(_NAMES[:2])} or severity"
            )
        type_, edge = table.word("type", ALERT_TYPES), table.word("edge", _EDGES)
        return cls(
            table.whole("step", 0, LAST_STEP),
            table.word("code", rules()),
            type_,
            table.word("severity", [str(severity) for severity in Severity]),
            edge or ("recovered" if type_ == "recovered" else None),
            table.word("tag", tags),
        )

    def matches(self, alert: Happened) -> bool:
        """Whether the alert is what was expected."""
        return (
            self.step == alert.step
            and self.code in (None, alert.code)
            and self.type in (None, alert.type)
            and self.severity in (None, alert.severity)
            and (alert.edge != "recovered" if self.edge is None else self.edge == alert.edge)
            and self.tag in (None, alert.tag)
        )


@dataclass(frozen=True, slots=True)
class ExpectedFiring:
    """Codes of all that fires, on one series or on any, once the points up to step ``at`` have been seen."""

    at: int
    codes: frozenset[str]
    tag: str | None = None

    @classmethod
    def parse(cls, content: Any, where: str, tags: list[str], steps: tuple[int, int]) -> "ExpectedFiring":
        """Check one item of ``firing``; ``steps`` are the first and the last step of the test.

        Raises:
            ConfigError: it makes no sense, or asks about a step at which the test says nothing.
        """
        table = Table(content, where, ("at", "codes", "tag"))
        at = table.whole("at", 0, LAST_STEP)
        if not steps[0] <= at <= steps[1]:
            raise ConfigError(
                f"{where}: at = {at} is outside the test, which has points from step {steps[0]} to {steps[1]}"
            )
        return cls(at, table.words("codes", rules()), table.word("tag", tags))
