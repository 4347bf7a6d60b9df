"""What to audit and when to fail: defaults, checked values, and the configuration file."""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from audioloss_cli.model import Gate, Limits, SettingError
from audioloss_cli.model.gate import FailOn
from audioloss_cli.model.rule import KINDS, Kind
from audioloss_cli.naming import TagPattern

FILE_NAME, SHARED_FILE_NAME = "audioloss.toml", "pyproject.toml"
TRAINING = "training"  # the table of the live wing
# key of the configuration file, and option of the command line -> field of ScanConfig
FIELDS = {
    "tag": "tags",
    "all-losses": "all_losses",
    "window": "window_size",
    "threshold": "threshold",
    "critical-threshold": "critical_threshold",
    "scale": "scale",
    "adaptive": "adaptive",
    "kind": "kind",
    "kinds": "kinds",
    "select": "select",
    "ignore": "ignore",
    "rules": "rules",
    "fail-on": "fail_on",
    "max-incidents": "max_incidents",
    "require-tag": "require_tags",
    "min-steps": "min_steps",
    "baseline": "baseline",
    "suppress": "suppress",
    "fail-on-stale-suppressions": "fail_on_stale_suppressions",
    "exit-zero": "exit_zero",
    "allow-defects": "allow_defects",
    "allow-unread": "allow_unread",
    "exclude": "exclude",
    "format": "format",
    "pattern": "line_patterns",
    "checksum": "checksum",
    "jobs": "jobs",
    "cache": "cache",
}
# Fields that are lists of texts, and what those are.
_LISTS = {"tags": "patterns", "require_tags": "patterns", "exclude": "globs", "line_patterns": "regular expressions"}
_SWITCHES = (
    *("all_losses", "allow_defects", "allow_unread", "adaptive", "checksum"),
    *("fail_on_stale_suppressions", "exit_zero"),
)
KEYS = {field: key for key, field in FIELDS.items()}


class ConfigError(ValueError):
    """The configuration makes no sense; the message names the file and the key, or the option."""


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Everything that decides what a scan audits and when it fails.

    Attributes:
        window_size, threshold, critical_threshold: see ``Limits``; thresholds are per codebook.
        scale: factor by which the logged loss is larger than the mean over codebooks (8 for a sum over 8).
        adaptive: rules that compare a loss with its own past take part, and its kind is guessed.
        kind: of every audited series, ``ce``, ``small``, ``rl``, ``signed`` or ``open``; ``auto`` decides by evidence.
        kinds: pattern over tags -> kind; it beats ``kind``, and the first pattern that matches counts.
        select: codes of the only loss rules that take part; all if None.
        ignore: codes of loss rules that do not.
        rules: code -> option -> number, for loss rules that have options.
        tags: globs, or regular expressions behind ``re:``; when given, only matching series are audited.
        all_losses: audit every series with a loss in its name.
        format: name of the reader to use; None lets each reader say what it claims.
        line_patterns: regular expressions over lines of console output, whose named groups are the step and numbers.
        fail_on: lowest severity that fails the audit.
        max_incidents, require_tags, min_steps, fail_on_stale_suppressions, exit_zero: see ``Gate``.
        baseline: file of known findings, which do not fail the audit; none if None.
        suppress: findings that are accepted: tables with ``run``, ``tag``, ``code`` (patterns) or ``fingerprint``, a
            ``reason``, and the last day ``until`` which they are.
        allow_defects: a damaged log does not fail the audit.
        allow_unread: a file that looks like a log and cannot be read does not fail the audit.
        exclude: globs over paths and over names of files and directories that are not looked at.
        checksum: verify the checksums of formats that have them.
        jobs: processes; 0 decides by the amount of work.
        cache: directory that keeps what was read of each log for the next scan; none if None.

    Raises:
        SettingError: a ValueError: a value that makes no sense, named.
    """

    window_size: int = 100
    threshold: float = 0.01
    critical_threshold: float = 0.005
    scale: float = 1.0
    tags: tuple[str, ...] = ()
    all_losses: bool = False
    format: str | None = None
    fail_on: FailOn = "warning"
    allow_defects: bool = False
    jobs: int = 1
    adaptive: bool = True
    kind: str = "auto"
    kinds: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checksum: bool = True
    cache: str | None = None
    allow_unread: bool = False
    exclude: tuple[str, ...] = ()
    line_patterns: tuple[str, ...] = ()
    max_incidents: int = 0
    require_tags: tuple[str, ...] = ()
    min_steps: int = 0
    baseline: str | None = None
    suppress: tuple[Mapping[str, Any], ...] = ()
    fail_on_stale_suppressions: bool = False
    exit_zero: bool = False

    def __post_init__(self) -> None:
        for name, what in _LISTS.items():
            texts = getattr(self, name)
            if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
                raise SettingError(name, f"must be a list of {what}, not {texts!r}")
            object.__setattr__(self, name, tuple(texts))
        for text in self.line_patterns:
            _check_line_pattern(text)
        _ = self.limits.scaled(self.scale), self.patterns  # each checks what it is made of
        if self.fail_on not in get_args(FailOn):
            raise SettingError("fail_on", f"must be one of {', '.join(get_args(FailOn))}, not {self.fail_on!r}")
        if self.format is not None and not isinstance(self.format, str):
            raise SettingError("format", f"must be a name, not {self.format!r}")
        self._check_rules()
        self._check_findings()
        self._check_plain()

    def _check_plain(self) -> None:
        """Numbers, places and switches."""
        for name in ("jobs", "max_incidents", "min_steps"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise SettingError(name, f"must be a whole number, 0 or more, not {number!r}")
        for name, what in (("cache", "directory"), ("baseline", "file")):
            place = getattr(self, name)
            if place is not None and not (isinstance(place, str) and place):
                raise SettingError(name, f"must be the name of a {what}, not {place!r}")
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise SettingError(name, f"must be true or false, not {getattr(self, name)!r}")

    def _check_findings(self) -> None:
        """What every run is asked for, and what is accepted; ``findings.suppressions`` looks into the tables."""
        for text in self.require_tags:
            try:
                TagPattern(text)
            except SettingError as error:
                raise SettingError("require_tags", error.complaint) from None
        if not isinstance(self.suppress, (list, tuple)):
            raise SettingError(
                "suppress", f"must be a list of tables, as [[suppress]] makes one, not {self.suppress!r}"
            )
        object.__setattr__(self, "suppress", tuple(self.suppress))

    def _check_rules(self) -> None:
        if not isinstance(self.kinds, Mapping):
            raise SettingError("kinds", f"must be a table of patterns and kinds, not {self.kinds!r}")
        for name, kind in [("kind", self.kind), *(("kinds", kind) for kind in self.kinds.values())]:
            if kind not in (*KINDS, "auto"):
                raise SettingError(name, f"must be one of auto, {', '.join(KINDS)}, not {kind!r}")
        try:
            _ = self.declared_kinds
        except SettingError as error:
            raise SettingError("kinds", error.complaint) from None
        if not isinstance(self.rules, Mapping):
            raise SettingError("rules", f"must be tables of options by rule code, not {self.rules!r}")
        for name in ("select", "ignore"):
            codes = getattr(self, name)
            if codes is not None and not isinstance(codes, (list, tuple)):
                raise SettingError(name, f"must be a list of rule codes, not {codes!r}")
            object.__setattr__(self, name, None if codes is None else tuple(codes))

    @property
    def declared_kinds(self) -> list[tuple[TagPattern, Kind | None]]:
        """Patterns over tags, and the kind that they declare, None for a guess; the first that matches counts."""
        every = [*self.kinds.items(), ("*", self.kind)]
        return [(TagPattern(text), None if kind == "auto" else cast("Kind", kind)) for text, kind in every]

    @property
    def limits(self) -> Limits:
        """The limits of a loss that is a mean over codebooks."""
        return Limits(self.window_size, self.threshold, self.critical_threshold)

    @property
    def patterns(self) -> list[TagPattern]:
        """The tags, ready to match."""
        return [TagPattern(text) for text in self.tags]

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


def _check_line_pattern(text: str) -> None:
    from audioloss_cli.naming.line_pattern import LinePattern  # noqa: PLC0415  # few scans have one

    LinePattern(text)


def find_config(start: Path) -> Path | None:
    """The nearest ``audioloss.toml`` or ``pyproject.toml`` with ``[tool.audioloss]``, in a directory or above it.

    The search goes up to the root of a git checkout, and nowhere outside one: no stranger's file loosens a gate.
    """
    above = [start, *start.parents]
    root = next((directory for directory in above if (directory / ".git").exists()), start)
    for directory in above[: above.index(root) + 1]:
        own, shared = directory / FILE_NAME, directory / SHARED_FILE_NAME
        if own.is_file():
            return own
        if shared.is_file() and _may_name_us(shared) and _own_table(shared) is not None:
            return shared
    return None


def _may_name_us(shared: Path) -> bool:
    """Whether it is worth parsing, which takes 7 ms: a table, key or header may be ours, or is spelt in escapes."""
    try:
        content = shared.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shared}: {error.strerror}") from None
    ours = rb"""^[ \t]*\[{0,2}[ \t]*["']?tool["']?[ \t]*(?:\.[ \t]*["']?audioloss|\]|=)|\\[uU]"""
    strange = content.startswith(codecs.BOM_UTF8) or b"\0" in content  # nor is it TOML, which whoever parses it says
    return strange or re.search(ours, content, re.MULTILINE) is not None


def read_config(path: Path) -> dict[str, Any]:
    """The fields of ``ScanConfig`` that a configuration file sets; files that it names are seen from where it lies.

    Raises:
        ConfigError: the file cannot be read, is no TOML, holds no table of ours, or a key that is not known.
    """
    table = _own_table(path)
    if table is None:
        raise ConfigError(f"{path}: there is no [tool.audioloss] in it")
    _training_table(path, table)
    table.pop(TRAINING, None)
    refuse_unknown(path, table, [*FIELDS, TRAINING])
    for key in ("cache", "baseline"):
        if isinstance(table.get(key), str) and table[key]:
            table[key] = str(path.parent / table[key])
    return {FIELDS[key]: value for key, value in table.items()}


def read_training(path: Path) -> dict[str, Any]:
    """The table ``[training]`` of a configuration file: what a guard is given; empty if there is none.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or holds something else of that name.
    """
    return _training_table(path, _own_table(path) or {})


def _training_table(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    found = table.get(TRAINING, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {TRAINING} must be a table, not {found!r}")
    return dict(found)


def refuse_unknown(where: Path | str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Name the first key that there is not, and what it may have been meant for.

    Raises:
        ConfigError: there is one.
    """
    known = list(known)
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}")


def make_config(path: Path | None, options: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> ScanConfig:
    """A configuration from a file and what the command line says; the latter wins.

    Args:
        path: the file, if there is one.
        options: fields of ``ScanConfig``. All losses and certain tags exclude each other: either replaces the other.
        defaults: fields whose default is another one here.

    Raises:
        ConfigError: see ``read_config``; or a value that makes no sense.
    """
    from_file = read_config(path) if path is not None else {}
    if "tags" in options or options.get("all_losses"):
        from_file = {name: value for name, value in from_file.items() if name not in ("tags", "all_losses")}
    try:
        return ScanConfig(**{**(defaults or {}), **from_file, **options})
    except SettingError as error:
        key = KEYS[error.field]
        where = f"--{key}" if error.field in options else f"{path}: {key}"
        raise ConfigError(f"{where} {error.complaint}") from None


def _own_table(path: Path) -> dict[str, Any] | None:
    """What the file says to us; None if it is a pyproject.toml that says nothing."""
    document = read_toml(path)
    if path.name != SHARED_FILE_NAME:
        return document
    tool = document.get("tool")
    table = tool.get("audioloss") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.audioloss must be a table, not {table!r}")
    return table


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML document.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    import tomllib  # noqa: PLC0415  # most scans have no configuration file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
