"""What to audit and when to fail: defaults, checked values, and the configuration file."""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from audioloss_cli.records import Gate, Limits
from audioloss_cli.records.report import FailOn

FILE_NAME = "audioloss.toml"
# key of the configuration file -> field of ScanConfig
_KEYS = {
    "tag": "tags",
    "all-losses": "all_losses",
    "window": "window_size",
    "threshold": "threshold",
    "critical-threshold": "critical_threshold",
    "scale": "scale",
    "fail-on": "fail_on",
    "allow-defects": "allow_defects",
    "format": "format",
    "jobs": "jobs",
}
_REGEX_PREFIX = "re:"


class ConfigError(ValueError):
    """The configuration makes no sense; the message names the file and the key where there is one."""


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Everything that decides what a scan audits and when it fails.

    Attributes:
        window_size, threshold, critical_threshold: see ``Limits``; thresholds are per codebook.
        scale: factor by which the logged loss is larger than the mean over codebooks (8 for a sum over 8).
        tags: globs, or regular expressions behind ``re:``; when given, only matching series are audited.
        all_losses: audit every series with a loss in its name.
        format: name of the reader to use; None lets each reader say what it claims.
        fail_on: lowest severity that fails the audit.
        allow_defects: a damaged log does not fail the audit.
        jobs: processes; 0 decides by the amount of work.

    Raises:
        ValueError: a value that makes no sense, named.
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
    jobs: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", _patterns(self.tags))
        limits = self.limits
        if isinstance(self.scale, bool) or not isinstance(self.scale, (int, float)) or not 0 < self.scale < math.inf:
            raise ValueError(f"scale must be a finite number above 0, not {self.scale!r}")
        limits.scaled(self.scale)
        if self.fail_on not in get_args(FailOn):
            raise ValueError(f"fail_on must be one of {', '.join(get_args(FailOn))}, not {self.fail_on!r}")
        if isinstance(self.jobs, bool) or not isinstance(self.jobs, int) or self.jobs < 0:
            raise ValueError(f"jobs must be a whole number, 0 or more, not {self.jobs!r}")
        for name in ("all_losses", "allow_defects"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, not {getattr(self, name)!r}")  # noqa: TRY004

    @property
    def limits(self) -> Limits:
        """The limits of a loss that is a mean over codebooks."""
        return Limits(self.window_size, self.threshold, self.critical_threshold)

    @property
    def gate(self) -> Gate:
        """When the audit fails."""
        return Gate(self.fail_on, self.allow_defects)


def find_config(start: Path) -> Path | None:
    """The nearest ``audioloss.toml`` or ``pyproject.toml`` with ``[tool.audioloss]``, in a directory or above it.

    The search ends at the root of a git checkout, so that no stranger's file loosens a gate.
    """
    for directory in (start, *start.parents):
        own, shared = directory / FILE_NAME, directory / "pyproject.toml"
        if own.is_file():
            return own
        if shared.is_file() and "audioloss" in _toml(shared).get("tool", {}):
            return shared
        if (directory / ".git").exists():
            return None
    return None


def read_config(path: Path) -> dict[str, Any]:
    """The fields of ``ScanConfig`` that a configuration file sets.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or has a key that is not known.
    """
    document = _toml(path)
    table = document if path.name != "pyproject.toml" else document.get("tool", {}).get("audioloss", {})
    for key in table:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(_KEYS)}"
            raise ConfigError(f"{path}: unknown key {key!r}; {hint}")
    return {_KEYS[key]: value for key, value in table.items()}


def make_config(path: Path | None, options: dict[str, Any], formats: Sequence[str] = ()) -> ScanConfig:
    """A configuration from a file and what the command line says; the latter wins.

    Args:
        path: the file, if there is one.
        options: fields of ``ScanConfig``.
        formats: what ``format`` may be; anything, if empty.

    Raises:
        ConfigError: see ``read_config``; or a value that makes no sense.
    """
    from_file = read_config(path) if path is not None else {}
    try:
        if formats and from_file.get("format", formats[0]) not in formats:
            raise ValueError(f"format must be one of {', '.join(formats)}, not {from_file['format']!r}")  # noqa: TRY301
        ScanConfig(**from_file)
    except ValueError as error:
        raise ConfigError(f"{path}: {_in_words_of(error, prefix='')}") from None
    try:
        return ScanConfig(**{**from_file, **options})
    except ValueError as error:
        raise ConfigError(_in_words_of(error, prefix="--")) from None


def _in_words_of(error: ValueError, prefix: str) -> str:
    """The message with the names that the user typed in place of those of the fields."""
    text = str(error)
    for key, field in _KEYS.items():
        text = re.sub(rf"\b{field}\b", f"{prefix}{key}", text, count=1)
    return text


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _patterns(tags: Any) -> tuple[str, ...]:
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError(f"tags must be a list of patterns, not {tags!r}")
    for tag in tags:
        if tag.startswith(_REGEX_PREFIX):
            try:
                re.compile(tag.removeprefix(_REGEX_PREFIX))
            except re.error as error:
                raise ValueError(f"tags: {tag!r} is no regular expression: {error}") from None
    return tuple(tags)
