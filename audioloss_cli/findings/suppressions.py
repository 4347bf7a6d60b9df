"""What a configuration accepts: findings by run, tag, code or fingerprint, for a reason and maybe for a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Self

from audioloss_cli.findings.identity import Identity
from audioloss_cli.model import SettingError, StaleSuppression
from audioloss_cli.naming import TagPattern

_FIELD = "suppress"  # of ``ScanConfig``
_PATTERNS = ("run", "tag", "code")
_KEYS = (*_PATTERNS, "fingerprint", "reason", "until")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of ``[[suppress]]``: whatever it names must match, and it names at least one thing.

    Attributes:
        reason: why it is accepted.
        patterns: ``run``, ``tag`` or ``code`` -> glob, or regular expression behind ``re:``.
        fingerprint: of one finding; empty for any.
        until: the last day on which it counts; None for ever.
    """

    reason: str
    patterns: Mapping[str, TagPattern]
    fingerprint: str = ""
    until: date | None = None

    @classmethod
    def of(cls, number: int, table: Any) -> Self:
        """Read the entry of that number, counted from 1.

        Raises:
            SettingError: it makes no sense.
        """
        if not isinstance(table, Mapping):
            raise SettingError(_FIELD, f"entry {number} must be a table, not {table!r}")
        for key in table:
            if key not in _KEYS:
                close = get_close_matches(str(key), _KEYS, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(_KEYS)}"
                raise SettingError(_FIELD, f"entry {number} has an unknown key {key!r}; {hint}")
        texts = {key: table[key] for key in _KEYS[:-1] if key in table}
        for key, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise SettingError(_FIELD, f"entry {number}: {key} must be a text, not {text!r}")
        if "reason" not in texts:
            raise SettingError(_FIELD, f"entry {number} has no reason; say why this finding is accepted")
        if len(texts) == 1:
            raise SettingError(_FIELD, f"entry {number} would accept everything; name a run, tag, code or fingerprint")
        patterns = {key: _pattern(number, key, texts[key]) for key in _PATTERNS if key in texts}
        return cls(texts["reason"], patterns, texts.get("fingerprint", "").lower(), _until(number, table.get("until")))

    def matches(self, identity: Identity, code: str, run: str) -> bool:
        """Tell whether it names this finding; ``run`` is the run as it was typed."""
        if self.fingerprint not in ("", identity.fingerprint, *identity.other_fingerprints):
            return False
        names = {"run": (run, identity.run, *identity.other_names), "tag": (identity.tag,), "code": (code,)}
        return all(any(pattern.matches(name) for name in names[key]) for key, pattern in self.patterns.items())

    def may_match(self, codes: Iterable[str]) -> bool:
        """Tell whether it can name a finding of one of these codes."""
        return "code" not in self.patterns or any(map(self.patterns["code"].matches, codes))

    def __str__(self) -> str:
        named = {**{key: pattern.text for key, pattern in self.patterns.items()}, "fingerprint": self.fingerprint}
        return ", ".join(f"{key} = {text!r}" for key, text in named.items() if text)


class Suppressions:
    """All entries of a configuration, and which of them have accepted something.

    Args:
        entries: in the order of the file.
        today: the day on which they are read.
        file: where they stand, for the report.
    """

    def __init__(self, entries: Sequence[Suppression], today: date, file: str = "") -> None:
        self._entries, self._file = entries, file
        self._expired = [entry.until is not None and entry.until < today for entry in entries]
        self._used = [False] * len(entries)

    def accept(self, identity: Identity, code: str, run: str) -> tuple[bool, str]:
        """Return whether a finding is accepted, and why; of one that was until a day gone by, since when it is not."""
        matching = [number for number, entry in enumerate(self._entries) if entry.matches(identity, code, run)]
        in_force = [number for number in matching if not self._expired[number]]
        for number in in_force:
            self._used[number] = True
        if in_force:
            return True, self._entries[in_force[0]].reason
        lapsed = [self._entries[number] for number in matching[:1]]
        return False, "".join(f"its suppression expired on {entry.until} ({entry.reason})" for entry in lapsed)

    def stale(self, codes: Sequence[str], others: Sequence[str]) -> Iterator[StaleSuppression]:
        """Yield what is expired, and what has accepted nothing.

        Args:
            codes: of all that could have been found.
            others: of what only another command finds: a suppression of those alone is none of this one's.
        """
        for entry, expired, used in zip(self._entries, self._expired, self._used, strict=True):
            if expired:
                yield StaleSuppression(str(entry), f"expired on {entry.until}", self._file)
            elif not used and (entry.may_match(codes) or not entry.may_match(others)):
                yield StaleSuppression(str(entry), "matches nothing", self._file)


def suppressions_of(tables: Sequence[Any]) -> tuple[Suppression, ...]:
    """Read all entries of a configuration.

    Raises:
        SettingError: one makes no sense.
    """
    return tuple(Suppression.of(number, table) for number, table in enumerate(tables, 1))


def _pattern(number: int, key: str, text: str) -> TagPattern:
    try:
        return TagPattern(text)
    except SettingError as error:
        raise SettingError(_FIELD, f"entry {number}: {key} {error.complaint}") from None


def _until(number: int, value: Any) -> date | None:
    """A date of TOML, one with a time, or one as text."""
    if value is None:
        return None
    try:
        return value.date() if isinstance(value, datetime) else _date(value)
    except (TypeError, ValueError):
        raise SettingError(_FIELD, f"entry {number}: until must be a date such as 2026-12-31, not {value!r}") from None


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
