"""One line to an entry, by whichever dialect takes it; lines like earlier ones by their template."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from audioloss_cli import registry
from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.pairs import tokens_of
from audioloss_cli.readers.text.parts import Parts, with_parts
from audioloss_cli.readers.text.template import Template, key_of

if TYPE_CHECKING:
    import re

_FOLDER = "readers.text.dialects"
_MOST_TEMPLATES, _MOST_OF_A_KEY = 4000, 64
# To make a template costs as much as to take apart a dozen lines: of lines that never come again there is none.
_FREE_TEMPLATES, _LINES_OF_A_TEMPLATE = 100, 20
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
        parts: of losses, whose names do not say so.
    """

    def __init__(self, own: Sequence[Dialect] = (), parts: Parts | None = None) -> None:
        self._own = own
        self._parts = parts
        self._dialects = dialects()
        self._templates = dict[str, list[Template]]()
        self._count = self._made = self._lines = 0  # templates, those ever made, and lines that matched none
        self._once = set[str]()  # keys of lines that came once

    def find(self, line: str) -> "tuple[Template, re.Match[str]] | None":
        """Return the template that a line matches, and the match."""
        for template in self._templates.get(key_of(line), ()):
            match = template.match(line)
            if match is not None:
                return template, match
        return None

    def parse_own(self, line: str) -> Entry | None:
        """Return what a pattern of the user says of a line."""
        return next((entry for own in self._own if (entry := own.parse(line)) is not None), None)

    def parse(self, line: str) -> Entry | None:
        """Return what a line says; None if it says nothing."""
        for dialect in self._dialects:
            if not dialect.MARKS or any(mark in line for mark in dialect.MARKS):
                if not dialect.MARKS and len(line) > LONGEST_PROSE:
                    continue
                entry = dialect.parse(line)
                if entry is not None:
                    return with_parts(entry, self._parts) if self._parts else entry
        return None

    def learn(self, line: str, entry: Entry | None) -> Template | None:
        """Return a template of lines like this one, once a second one came; None if there can be none."""
        self._lines += 1
        key = key_of(line) if len(line) < LONGEST_PROSE else ""
        if key not in self._once:
            if len(self._once) >= _MOST_TEMPLATES:
                self._once.clear()
            self._once.add(key)
            return None
        if self._made > _FREE_TEMPLATES + self._lines // _LINES_OF_A_TEMPLATE:
            return None
        if entry is None:
            entry = Entry(tokens_of(line))
        if not Template.can_stand_for(line, entry):
            return None
        if self._count >= _MOST_TEMPLATES:
            self._templates.clear()
            self._count = 0
        known = self._templates.setdefault(key, [])
        if len(known) == _MOST_OF_A_KEY:
            return None
        self._made += 1
        template = Template(line, entry)
        known.append(template)
        self._count += 1
        return template
