"""What a Jinja template of a chat does beyond putting messages together."""

import re
from collections.abc import Iterator

from audioloss_cli.model import Severity

LONGEST = 1 << 20  # characters; a long template has 20,000
_OPEN = re.compile(r"\{[{%]")
_CLOSE = {"{{": "}}", "{%": "%}"}
_FINDS = (
    (
        Severity.CRITICAL,
        "reaches into Python",
        re.compile(r"__[a-zA-Z]\w{0,60}?__|\.__\w|\[\s*-?['\"]_{2}|\\x5f|\\u005f|\\137"),
    ),
    (
        Severity.CRITICAL,
        "reaches into Python",
        re.compile(r"\b_TemplateReference|\bmro\s*\(|\b(?:os|subprocess)\.\w+\s*\("),
    ),
    (Severity.WARNING, "computes the name of an attribute", re.compile(r"\|\s*attr\b|\battribute\s*=\s*[^'\"\s]")),
    (
        Severity.WARNING,
        "uses what holds references to Python",
        re.compile(r"\b(?:lipsum|cycler|joiner|self)\s*[.\[(|]"),
    ),
    (Severity.WARNING, "loads other templates", re.compile(r"\A-?\s*(?:import|from|include|extends)\b")),
    (Severity.WARNING, "reads a private attribute", re.compile(r"\w\s*\._[a-z]")),
)


def problems(template: str) -> Iterator[tuple[Severity, str]]:
    """Yield how bad it is, and what the template does, with the words that do it; each kind once."""
    found: dict[str, tuple[Severity, str]] = {}
    for block in _blocks(template[:LONGEST]):
        for severity, what, pattern in _FINDS:
            match = pattern.search(block)
            if match is not None and what not in found:
                place = block[max(match.start() - 20, 0) : match.end() + 20]
                found[what] = (severity, f"{what}: {' '.join(place.split())!r}")
    yield from found.values()


def _blocks(template: str) -> Iterator[str]:
    """Yield what stands in statements and expressions, in time that grows with the length alone."""
    place = 0
    while (opened := _OPEN.search(template, place)) is not None:
        end = template.find(_CLOSE[opened[0]], opened.end())
        if end < 0:
            yield template[opened.end() :]
            return
        yield template[opened.end() : end]
        place = end + 2
