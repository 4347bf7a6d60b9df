"""What one line of console output says, before anybody knows which of its numbers is the step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Token(NamedTuple):
    """A number or a time in a line, ``line[start:end]``.

    Attributes:
        start, end: where it stands.
        is_number: whether it is a number; else a time (``10:53:24,123``) or a number with its unit (``1.02it/s``).
    """

    start: int
    end: int
    is_number: bool


class Counter(NamedTuple):
    """A number that counts: a step, an epoch, the place in an epoch or of a progress bar.

    Attributes:
        name: lower-case, ``step``, ``epoch``, ``batch``, ``bar`` and the like; see ``steps.RANKS``.
        token: index of its token.
        total: index of the token that says how many there will be; None if the line does not say.
    """

    name: str
    token: int
    total: int | None = None


@dataclass(slots=True)
class Entry:
    """One line, taken apart; everything but the numbers themselves follows from the text between them.

    Attributes:
        tokens: every number and every time, in order.
        counters: what may be the step.
        numbers: tags, each with the index of the token that holds its value.
        blanks: names that hold something else.
        nulls: those of them that hold ``None`` or ``null``.
        held_out: the line is about held-out data.
        mode: whether this line and those after it are about held-out data; None if it does not say.
        rank: of the process that printed it.
        is_record: the line is written by a logger of metrics, not by somebody's print.
        parts_of_names: indexes of tokens that are parts of names: the 3 in ``Codebook 3 loss: 4.2``.
        is_bar: a progress bar, which is drawn again and again.
    """

    tokens: Sequence[Token] = ()
    counters: list[Counter] = field(default_factory=list)
    numbers: list[tuple[str, int]] = field(default_factory=list)
    blanks: list[str] = field(default_factory=list)
    nulls: list[str] = field(default_factory=list)
    held_out: bool = False
    mode: bool | None = None
    rank: int = 0
    is_record: bool = False
    is_bar: bool = False
    parts_of_names: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.numbers or self.counters or self.nulls or self.mode is not None)


def number_in(text: str) -> float:
    """Return the float64 that a number token spells; a comma separates thousands."""
    return float(text.replace(",", "")) if "," in text else float(text)
