"""One line to an entry, by whichever dialect takes it; lines like earlier ones by their template."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.template import Template, key_of

_FOLDER = "readers.text.dialects"
_MOST_TEMPLATES, _MOST_OF_A_KEY = 4000, 64
LONGEST_PROSE = 16_384  # of a line without an object


class Dialect(Protocol):
    """What a module of ``dialects/`` is."""

    ORDER: int
    MARKS: Sequence[str]

    def parse(self, line: str) -> Entry | None:
        """Return what the line says; None if it is not of this dialect."""
        ...


@cache
def dialects() -> list[Dialect]:
    """Return all dialects, those that are asked first in front."""
    found = [cast("Dialect", registry.load(_FOLDER, name)) for name in registry.names(_FOLDER)]
    return sorted(found, key=lambda dialect: dialect.ORDER)


class Parser:
    """Takes lines apart.

    Args:
        own: patterns of the user, asked before any dialect.
    """

    def __init__(self, own: Sequence[Dialect] = ()) -> None:
        self._dialects = [*own, *dialects()]
        self._templates = dict[str, list[Template]]()
        self._count = 0

    def find(self, line: str) -> "tuple[Template, Any] | None":
        """Return the template that a line matches, and the match."""
        for template in self._templates.get(key_of(line), ()):
            match = template.match(line)
            if match is not None:
                return template, match
        return None

    def parse(self, line: str) -> Entry | None:
        """Return what a line says; None if it says nothing."""
        for dialect in self._dialects:
            if not dialect.MARKS or any(mark in line for mark in dialect.MARKS):
                if not dialect.MARKS and len(line) > LONGEST_PROSE:
                    continue
                entry = dialect.parse(line)
                if entry is not None:
                    return entry
        return None

    def learn(self, line: str, entry: Entry | None) -> Template | None:
        """Return a template of lines like this one; None if there can be none, or there are enough."""
        if entry is None or not Template.can_stand_for(line, entry):
            return None
        if self._count == _MOST_TEMPLATES:
            self._templates.clear()
            self._count = 0
        known = self._templates.setdefault(key_of(line), [])
        if len(known) == _MOST_OF_A_KEY:
            del known[0]
            self._count -= 1
        template = Template(line, entry)
        known.append(template)
        self._count += 1
        return template

    def entries(self, lines: Sequence[str]) -> Iterator[tuple[str, Entry]]:
        """Yield the lines that say something."""
        for line in lines:
            entry = self.parse(line)
            if entry:
                yield line, entry
