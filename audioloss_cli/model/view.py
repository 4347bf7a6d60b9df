"""How a report is to be shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What an output may use of the place it is printed to.

    Attributes:
        verbosity: -1 the verdict alone, 0 normal, 1 also what is healthy in full.
        color: whether ANSI colours are wanted.
        width: columns.
        unicode: whether the place can print more than ASCII.
    """

    verbosity: int = 0
    color: bool = False
    width: int = 80
    unicode: bool = True


def printable(text: str) -> str:
    """The text with one ``?`` for each character that is none to look at.

    Tags and paths are a stranger's bytes: neither an escape sequence nor a line of theirs may reach a terminal.
    """
    return "".join(char if char.isprintable() else "?" for char in text)
