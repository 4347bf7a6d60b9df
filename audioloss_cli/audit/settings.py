"""What a configuration comes to, worked out once for all runs of an audit."""

from dataclasses import dataclass, field, replace

from audioloss_cli.config import KEYS, ConfigError, ScanConfig
from audioloss_cli.config.overrides import Override, overrides_of
from audioloss_cli.model import SettingError
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
        overrides: entries of the configuration for some runs or tags.

    Raises:
        SettingError: a code or an option that is not known, no rule left, or a suppression or an override that makes
            no sense.
    """

    config: ScanConfig
    keep_points: bool = False
    patterns: list[TagPattern] = field(init=False)
    choice: Choice = field(init=False)
    overrides: tuple[Override, ...] = field(init=False)
    _made: dict[tuple[int, ...], "AuditSettings"] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        config = self.config
        object.__setattr__(self, "patterns", config.patterns)
        object.__setattr__(self, "choice", Choice(config.adaptive, config.select, config.ignore, config.rules))
        if config.suppress:
            from audioloss_cli.findings.suppressions import suppressions_of  # noqa: PLC0415  # few scans have any

            suppressions_of(config.suppress)
        object.__setattr__(self, "overrides", overrides_of(config.overrides))
        for override in self.overrides:
            try:
                self._with([override])
            except SettingError as error:
                place = f"entry {override.number}: {KEYS[error.field]}"
                raise SettingError("overrides", f"{place} {error.complaint}") from None

    def of(self, run: str, tag: str) -> "AuditSettings":
        """Return the settings of one series: these, and above them the overrides that match it, the last one on top.

        Raises:
            ConfigError: overrides that make sense one by one contradict each other.
        """
        if not self.overrides:
            return self
        matched = [override for override in self.overrides if override.matches(run, tag)]
        numbers = tuple(override.number for override in matched)
        if matched and numbers not in self._made:
            try:
                self._made[numbers] = self._with(matched)
            except SettingError as error:
                entries = ", ".join(map(str, numbers))
                raise ConfigError(
                    f"overrides: entries {entries} match {tag} of {run}: {KEYS[error.field]} {error.complaint}"
                ) from None
        return self._made[numbers] if matched else self

    def _with(self, overrides: "list[Override]") -> "AuditSettings":
        fields = {name: value for override in overrides for name, value in override.fields.items()}
        return AuditSettings(replace(self.config, overrides=(), **fields), self.keep_points)

    def ignored(self, *, held_out: bool) -> tuple[str, ...]:
        """Return the codes of rules that do not watch a series.

        A logger that repeats the last evaluation at every step is no frozen loss; unless that alone was asked for.
        """
        config = self.config
        others = set(self.choice.codes) - {_FROZEN}
        return (*config.ignore, _FROZEN) if held_out and others and config.select is None else config.ignore
