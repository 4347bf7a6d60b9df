"""Which actions an alert of which severity asks for."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.model import Alert, SettingError, Severity
from audioloss_cli.training.response.alert_context import AlertContext

FOLDER = "training.response.actions"
_DEFAULT = ("log", "dump", "advise")


class Action(Protocol):
    """A module of ``training/response/actions``; its file name, with hyphens, is its name.

    Attributes:
        EVERY_RANK: it changes the loop, so that all ranks must do it; the others are done where the batch is.
    """

    EVERY_RANK: bool

    def act(self, case: AlertContext, **options: Any) -> str:
        """Do it; what was done, in words.

        Raises:
            ActionError: it could not be done.
        """
        ...


#: Actions that end the run.
ENDING = ("stop", "raise-error")


@dataclass(frozen=True)
class Policy:
    """Names of actions by severity, in the order in which they are taken.

    Attributes:
        critical, warning: on an alert of this severity, at each edge of an incident but its end.
        options: action -> option -> value, such as ``{"rollback": {"skip": 20}}``.

    Raises:
        SettingError: a ValueError: there is no such action, or it has no such option.
    """

    critical: Sequence[str] = _DEFAULT
    warning: Sequence[str] = _DEFAULT
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("critical", "warning"):
            wanted = getattr(self, name)
            if isinstance(wanted, str) or not isinstance(wanted, Sequence):
                raise SettingError(name, f"must be a list of actions, not {wanted!r}")
            for each in wanted:
                _check(name, each)
        for each, options in self.options.items():
            _check("options", each)
            known = list(inspect.signature(load(each).act).parameters)[1:]
            for option in options:
                if option not in known:
                    raise SettingError("options", f"{option!r} is none of {each}; it has {', '.join(known) or 'none'}")

    def actions(self, alert: Alert) -> list[str]:
        """What to do about an alert: nothing at its end, and at a reminder only what ends the run.

        Where that was done before, the run was resumed since, or its loop went on, and is still in trouble.
        """
        if alert.edge == "recovered" or alert.severity is Severity.INFO:
            return []
        wanted = self.critical if alert.severity is Severity.CRITICAL else self.warning
        return [name for name in wanted if alert.edge != "reminder" or name in ENDING]

    def ends(self, severity: Severity) -> bool:
        """Whether an alert of this severity ends the run."""
        return any(name in ENDING for name in (self.critical if severity is Severity.CRITICAL else self.warning))

    def options_of(self, name: str) -> dict[str, Any]:
        """Those of one action."""
        return dict(self.options.get(name, {}))


def load(name: str) -> Action:
    """The action of a name."""
    return cast("Action", registry.load(FOLDER, name.replace("-", "_")))


def known() -> list[str]:
    """Names of all actions."""
    return [registry.code_of(name) for name in registry.names(FOLDER)]


def _check(setting: str, name: str) -> None:
    if name not in known():
        raise SettingError(setting, f"{name!r} is not one of {', '.join(known())}")
