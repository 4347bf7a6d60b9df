"""What to audit and when to fail: every setting with its type, its default and what it means."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from audioloss_cli.config.declared import declare, settings_of
from audioloss_cli.model.gate import FailOn, Gate
from audioloss_cli.model.limits import Limits, SettingError

if TYPE_CHECKING:
    from audioloss_cli.model.rule import Kind
    from audioloss_cli.naming import TagPattern

KindOrAuto = Literal["auto", "ce", "small", "rl", "signed", "open"]
_KIND = "one of auto, ce, small, rl, signed, open"


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Everything that decides what a scan audits and when it fails.

    Raises:
        SettingError: a ValueError: a value that makes no sense, named.
    """

    window_size: int = declare(100, "window", "Window in training steps.", least=1, by_series=True)
    threshold: float = declare(0.01, "threshold", "A loss below it is a warning.", least=0, by_series=True)
    critical_threshold: float = declare(
        0.005, "critical-threshold", "A loss below it is critical.", least=0, by_series=True
    )
    scale: float = declare(
        1.0,
        "scale",
        "The logged loss is this many times the mean over codebooks: 8 for a sum over 8.",
        least=0,
        by_series=True,
    )
    tags: tuple[str, ...] = declare(
        (),
        "tag",
        "Audit the series that match this glob over the whole tag, such as '*audio_loss', or regular expression "
        "behind 're:'.",
        what="a list of patterns",
        metavar="PATTERN",
    )
    all_losses: bool = declare(False, "all-losses", "Audit every series with a loss in its name.", what="true or false")
    adaptive: bool = declare(
        True,
        "adaptive",
        "Compare each loss with its own past, too, and guess its kind.",
        what="true or false",
        by_series=True,
    )
    kind: KindOrAuto = declare(
        "auto",
        "kind",
        "Kind of the losses: cross entropy, small by nature, of a policy, maybe negative, or not known.",
        what=_KIND,
        by_series=True,
    )
    kinds: Mapping[str, KindOrAuto] = declare(
        {},
        "kinds",
        "Pattern over tags and the kind of the losses that match; the first that matches counts, and beats kind.",
        what=f"a table of patterns and kinds, each {_KIND}",
        on_command_line=False,
    )
    select: tuple[str, ...] | None = declare(
        None,
        "select",
        "Ask only the loss rules of these codes.",
        what="a list of rule codes",
        metavar="CODE",
        plugins="rules",
        by_series=True,
    )
    ignore: tuple[str, ...] = declare(
        (),
        "ignore",
        "Do not ask the loss rules of these codes.",
        what="a list of rule codes",
        metavar="CODE",
        plugins="rules",
        by_series=True,
    )
    rules: Mapping[str, Any] = declare(
        {},
        "rules",
        "Options of loss rules, a table for each code; audioloss rule CODE names them.",
        what="tables of options by rule code",
        on_command_line=False,
        by_series=True,
    )
    overrides: tuple[Mapping[str, Any], ...] = declare(
        (),
        "overrides",
        "Settings for the runs and tags that match the patterns run and tag; of several the last counts.",
        what="a list of tables, as [[overrides]] makes one",
        on_command_line=False,
    )
    fail_on: FailOn = declare(
        "warning", "fail-on", "Lowest severity that fails the audit.", what="one of warning, critical, never"
    )
    max_incidents: int = declare(
        0,
        "max-incidents",
        "So many incidents that would fail the audit pass.",
        what="a whole number, 0 or more",
        metavar="N",
        least=0,
    )
    require_tags: tuple[str, ...] = declare(
        (),
        "require-tag",
        "A run without a number of a scalar that matches this glob fails.",
        what="a list of patterns",
        metavar="GLOB",
    )
    min_steps: int = declare(
        0,
        "min-steps",
        "A run that ended before so many training steps fails.",
        what="a whole number, 0 or more",
        metavar="N",
        least=0,
    )
    baseline: str | None = declare(
        None,
        "baseline",
        "What stands in this file is known and fails nothing, unless it got worse.",
        what="the name of a file",
        metavar="FILE",
        is_place=True,
    )
    suppress: tuple[Mapping[str, Any], ...] = declare(
        (),
        "suppress",
        "Findings that are accepted: run, tag, code (patterns) or fingerprint, a reason, and the last day until which.",
        what="a list of tables, as [[suppress]] makes one",
        on_command_line=False,
    )
    fail_on_stale_suppressions: bool = declare(
        False,
        "fail-on-stale-suppressions",
        "A suppression that has expired or matches nothing fails the audit.",
        what="true or false",
    )
    exit_zero: bool = declare(False, "exit-zero", "Exit with 0 whatever was found.", what="true or false")
    allow_defects: bool = declare(
        False, "allow-defects", "A damaged log does not fail the audit.", what="true or false"
    )
    allow_unread: bool = declare(
        False,
        "allow-unread",
        "A file that looks like a log and cannot be read does not fail the audit.",
        what="true or false",
    )
    checkpoints: bool = declare(
        False, "checkpoints", "Audit the checkpoints that lie beside the logs, too.", what="true or false"
    )
    exclude: tuple[str, ...] = declare(
        (),
        "exclude",
        "Do not look at files or directories that match this glob.",
        what="a list of globs",
        metavar="GLOB",
    )
    format: str | None = declare(
        None,
        "format",
        "Read every PATH that is a file as this log format.",
        what="a name",
        metavar="NAME",
        plugins="readers",
    )
    line_patterns: tuple[str, ...] = declare(
        (),
        "pattern",
        r"Read lines of console output that hold this regular expression: (?P<step>\d+), and a named group for each "
        "number.",
        what="a list of regular expressions",
        metavar="REGEX",
    )
    checksum: bool = declare(True, "checksum", "Verify the checksums of event files.", what="true or false")
    jobs: int = declare(
        1,
        "jobs",
        "Processes for much work, one for little; 0 takes one for each core.",
        what="a whole number, 0 or more",
        usual="0",
        least=0,
    )
    cache: str | None = declare(
        None,
        "cache",
        "Keep what was read in this directory, and read only what is new next time.",
        what="the name of a directory",
        metavar="DIR",
        is_place=True,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value, usual = getattr(self, item.name), {} if item.default is MISSING else item.default
            if SETTINGS[item.name].what and not (type(value) is type(usual) and value == usual):
                object.__setattr__(self, item.name, _checked(item.name, item.type, value))
        _ = self.limits.scaled(self.scale), self.patterns  # each checks what it is made of
        for name in ("require_tags", "kinds"):
            _check_patterns(name, getattr(self, name))
        for text in self.line_patterns:
            _check_line_pattern(text)

    @property
    def declared_kinds(self) -> "list[tuple[TagPattern, Kind | None]]":
        """Patterns over tags, and the kind that they declare, None for a guess; the first that matches counts."""
        every = [*self.kinds.items(), ("*", self.kind)]
        return [(_pattern(text), None if kind == "auto" else kind) for text, kind in every]

    @property
    def limits(self) -> Limits:
        """The limits of a loss that is a mean over codebooks."""
        return Limits(self.window_size, self.threshold, self.critical_threshold)

    @property
    def patterns(self) -> "list[TagPattern]":
        """The tags, ready to match."""
        return [_pattern(text) for text in self.tags]

    @property
    def gate(self) -> Gate:
        """When the audit fails."""
        return Gate(
            self.fail_on,
            self.allow_defects,
            self.allow_unread,
            self.max_incidents,
            self.require_tags,
            self.min_steps,
            self.fail_on_stale_suppressions,
            self.exit_zero,
        )


#: Field of ``ScanConfig`` -> how it is declared.
SETTINGS = settings_of(ScanConfig)
#: Key of the configuration file, and option of the command line -> field of ``ScanConfig``, and the other way round.
FIELDS = {setting.key: name for name, setting in SETTINGS.items()}
KEYS = {name: setting.key for name, setting in SETTINGS.items()}

if ScanConfig.__doc__:  # python -OO strips it
    _MEANINGS = "".join(f"    {name}: {setting.help}\n" for name, setting in SETTINGS.items())
    ScanConfig.__doc__ += f"\nAttributes:\n{_MEANINGS}"


def _checked(name: str, declared: Any, value: Any) -> Any:
    """The value of a field as it was declared: a tuple for any list."""
    setting = SETTINGS[name]
    is_whole = type(value) is declared and (setting.least is None or value >= setting.least)
    if is_whole or (get_origin(declared) is Literal and type(value) is str and value in get_args(declared)):
        return value  # most values of a command line: nothing to convert, nothing to refuse
    from audioloss_cli.config.conversion import converted  # noqa: PLC0415  # msgspec costs 5 ms

    return converted(name, setting, declared, value)


def _pattern(text: str) -> "TagPattern":
    from audioloss_cli.naming import TagPattern  # noqa: PLC0415  # help needs the declarations alone

    return TagPattern(text)


def _check_patterns(name: str, texts: Any) -> None:
    for text in texts:
        try:
            _pattern(text)
        except SettingError as error:
            raise SettingError(name, error.complaint) from None


def _check_line_pattern(text: str) -> None:
    from audioloss_cli.naming.line_pattern import LinePattern  # noqa: PLC0415  # few scans have one

    LinePattern(text)
