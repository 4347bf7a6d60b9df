"""How a report is to be shown."""

from typing import NamedTuple

#: Characters of a text of a stranger, or with one in it, that are worth reading.
LONGEST = 1000


class View(NamedTuple):
    """What an output may use of the place it is printed to.

    Attributes:
        verbosity: -2 the verdict alone, -1 the broken runs as well, 0 normal, 1 also what is healthy in full.
        color: whether ANSI colours are wanted.
        width: columns.
        unicode: whether the place can print more than ASCII.
    """

    verbosity: int = 0
    color: bool = False
    width: int = 80
    unicode: bool = True


def printable(text: str) -> str:
    r"""The text with an escape such as ``\x1b`` or ``\u202e`` for each character that is none to look at.

    Tags and paths are a stranger's bytes: neither an escape sequence nor a line of theirs may reach a terminal.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, without its middle if it has more than ``longest`` characters: a message ends in its remedy."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [... {len(text) - 2 * half:,} characters ...] {text[-half:]}"
