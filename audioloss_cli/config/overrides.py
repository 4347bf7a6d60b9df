"""Settings for some runs or tags alone: ``[[overrides]]`` of a configuration file."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, NamedTuple, Self

from audioloss_cli.config.scan_config import FIELDS, SETTINGS
from audioloss_cli.model.limits import SettingError
from audioloss_cli.naming import TagPattern

_FIELD = "overrides"  # of ``ScanConfig``
_PATTERNS = ("run", "tag")
#: What an entry may set, by key.
BY_SERIES = {setting.key: name for name, setting in SETTINGS.items() if setting.by_series}


class Override(NamedTuple):
    """One entry: it counts for a series whose run and tag match whatever it names of the two.

    Attributes:
        number: of the entry, counted from 1.
        patterns: ``run`` or ``tag`` -> glob, or regular expression behind ``re:``; at least one.
        fields: of ``ScanConfig``, and their values.
    """

    number: int
    patterns: Mapping[str, TagPattern]
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, number: int, table: Mapping[str, Any]) -> Self:
        """Read the entry of that number; its values are checked by whoever makes a ``ScanConfig`` of them.

        Raises:
            SettingError: it names no run and no tag, sets nothing, or something that there is not.
        """
        for key in table:
            if key not in (*_PATTERNS, *BY_SERIES):
                raise SettingError(_FIELD, f"entry {number} has {_unknown(key)}")
        if not any(key in table for key in _PATTERNS):
            raise SettingError(_FIELD, f"entry {number} would count for everything; name a run or a tag")
        found = {BY_SERIES[key]: value for key, value in table.items() if key in BY_SERIES}
        if not found:
            raise SettingError(_FIELD, f"entry {number} sets nothing; it may set {', '.join(BY_SERIES)}")
        return cls(number, {key: _pattern(number, key, table[key]) for key in _PATTERNS if key in table}, found)

    def matches(self, run: str, tag: str) -> bool:
        """Whether it counts for a series.

        Args:
            run: as it was typed; an end of its path from a directory's name on matches as well.
            tag: of the series.
        """
        names = {"run": list(_ends(run)), "tag": [tag]}
        return all(any(map(pattern.matches, names[key])) for key, pattern in self.patterns.items())


def overrides_of(tables: Sequence[Mapping[str, Any]]) -> tuple[Override, ...]:
    """Read all entries of a configuration.

    Raises:
        SettingError: one makes no sense.
    """
    return tuple(Override.of(number, table) for number, table in enumerate(tables, 1))


def without(fields: Mapping[str, Any], tables: Any) -> Any:
    """The entries without what a command line sets for all series; what is no list of tables is left as it is."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return tables
    overrides_of(tables)  # a mistake is one, whatever the command line says
    left = [{key: value for key, value in table.items() if FIELDS.get(key) not in fields} for table in tables]
    return [table for table in left if not table.keys() <= set(_PATTERNS)]


def _ends(run: str) -> Iterator[str]:
    """``runs/a/b``, ``a/b`` and ``b``."""
    yield run
    parts = PurePath(run).parts
    yield from ("/".join(parts[start:]) for start in range(len(parts)))


def _pattern(number: int, key: str, text: Any) -> TagPattern:
    if not isinstance(text, str) or not text:
        raise SettingError(_FIELD, f"entry {number}: {key} must be a pattern, not {text!r}")
    try:
        return TagPattern(text)
    except SettingError as error:
        raise SettingError(_FIELD, f"entry {number}: {key} {error.complaint}") from None


def _unknown(key: str) -> str:
    if key in FIELDS:
        return f"{key}, which counts for whole scans alone; it may set {', '.join(BY_SERIES)}"
    close = get_close_matches(key, [*_PATTERNS, *BY_SERIES], n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join([*_PATTERNS, *BY_SERIES])}"
    return f"an unknown key {key!r}; {hint}"
