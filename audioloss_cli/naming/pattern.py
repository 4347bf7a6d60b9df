"""How a series is named on the command line: a glob, or a regular expression."""

import re
from fnmatch import translate

from audioloss_cli.model.limits import SettingError

_REGEX_PREFIX = "re:"


class TagPattern:
    """A pattern over tags: the tag itself, a glob in which ``*`` crosses ``/``, or a regular expression behind ``re:``.

    Raises:
        SettingError: the regular expression is none.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        is_regex = text.startswith(_REGEX_PREFIX)
        try:
            self._found = (
                re.compile(text.removeprefix(_REGEX_PREFIX)).search if is_regex else re.compile(translate(text)).match
            )
        except re.error as error:
            raise SettingError("tags", f"{text!r} is no regular expression: {error}") from None

    @property
    def has_wildcards(self) -> bool:
        """Whether it can match another tag than its own text."""
        return self.text.startswith(_REGEX_PREFIX) or any(char in self.text for char in "*?[")

    def matches(self, tag: str) -> bool:
        """Whether the tag fits."""
        return tag == self.text or self._found(tag) is not None
