"""One table of a test file, asked for its keys: what is wrong with it is said in one line, with its place."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from audioloss_cli.config import ConfigError

_MOST_SHOWN = 60
_MOST_WORDS = 250  # characters


class Table:
    """A table whose keys are all known.

    Args:
        content: what the file holds there.
        where: the place, for messages.
        known: keys that it may have.

    Raises:
        ConfigError: from every method: the place, what is wrong there, and what to write instead.
    """

    def __init__(self, content: Any, where: str, known: Collection[str]) -> None:
        if not isinstance(content, dict):
            raise ConfigError(f"{where} must be a table, not {shown(content)}")
        self.content: dict[str, Any] = content
        self.where = where
        for key in content:
            if key not in known:
                raise ConfigError(f"{where}: unknown key {shown(key)}; {hint(key, known)}")

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds; without a default the key must be there."""
        value = self.content.get(key, default)
        if value is None:
            raise ConfigError(f"{self.where} lacks {key!r}, a training step")
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            bound = f"from {least} to {most}" if least else f"0 or more, at most {most}"
            raise ConfigError(f"{self.where}: {key} must be a whole number, {bound}, not {shown(value)}")
        return value

    def text(self, key: str) -> str | None:
        """A string that is not empty, if the key is there."""
        value = self.content.get(key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise ConfigError(f"{self.where}: {key} must be a string that is not empty, not {shown(value)}")
        return value

    def word(self, key: str, known: Collection[str]) -> str | None:
        """One of several words, if the key is there."""
        value = self.text(key)
        if value is not None:
            self.check_word(key, value, known)
        return value

    def words(self, key: str, known: Collection[str]) -> frozenset[str]:
        """A list of words, which must be there."""
        values = self.content.get(key)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ConfigError(f"{self.where}: {key} must be a list of strings, [] for none, not {shown(values)}")
        for value in values:
            self.check_word(key, value, known)
        return frozenset(values)

    def flag(self, key: str) -> bool:
        """True or false; false if the key is not there."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.where}: {key} must be true or false, not {shown(value)}")
        return value

    def tables(self, key: str, header: str) -> Iterator[tuple[Any, str]]:
        """Each item of a list of tables, with its place; none if the key is not there."""
        items = self.content.get(key, [])
        if not isinstance(items, list):
            raise ConfigError(f"{self.where}: {key} must be a list of tables, each under [[{header}]]")
        for number, item in enumerate(items, 1):
            yield item, f"{self.where}: {key} {number}"

    def check_word(self, key: str, value: str, known: Collection[str]) -> None:
        """Refuse a word that is not known."""
        if value not in known:
            raise ConfigError(f"{self.where}: {key} {shown(value)} is not known; {hint(value, known)}")


def hint(word: str, known: Collection[str]) -> str:
    """What a mistyped word may have meant, else all words; where those fill lines, they are codes, with a list."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    words = ", ".join(sorted(known))
    return f"known: {words}" if len(words) <= _MOST_WORDS else "audioloss rules lists all codes"


def shown(value: Any) -> str:
    """A value of the file, short enough for a line."""
    try:
        text = repr(value)
    except ValueError:  # a hexadecimal int of more digits than Python prints
        text = "a number of thousands of digits"
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."
