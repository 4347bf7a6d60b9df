"""What a configuration comes to, worked out once for all runs of an audit."""

from dataclasses import dataclass, field

from audioloss_cli.config import ScanConfig
from audioloss_cli.findings.suppressions import Suppression, suppressions_of
from audioloss_cli.monitor.ruleset import Choice
from audioloss_cli.naming import TagPattern

_FROZEN = "frozen-loss"


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """A configuration, and what is decided by it alone.

    Attributes:
        config: the configuration.
        keep_points: whether reports keep all points of their series.
        patterns: the tags that are asked for, ready to match.
        choice: the rules that watch every series.
        suppressions: the findings that are accepted.

    Raises:
        SettingError: a code or an option that is not known, no rule left, or a suppression that makes no sense.
    """

    config: ScanConfig
    keep_points: bool = False
    patterns: list[TagPattern] = field(init=False)
    choice: Choice = field(init=False)
    suppressions: tuple[Suppression, ...] = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        object.__setattr__(self, "patterns", config.patterns)
        object.__setattr__(self, "choice", Choice(config.adaptive, config.select, config.ignore, config.rules))
        object.__setattr__(self, "suppressions", suppressions_of(config.suppress))

    def ignored(self, *, held_out: bool) -> tuple[str, ...]:
        """Return the codes of rules that do not watch a series.

        A logger that repeats the last evaluation at every step is no frozen loss; unless that alone was asked for.
        """
        config = self.config
        others = set(self.choice.codes) - {_FROZEN}
        return (*config.ignore, _FROZEN) if held_out and others and config.select is None else config.ignore
