"""What all lines of one kind have in common: the text around their numbers."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from audioloss_cli.readers.jsonl.kinds import Clock, Kind, Leaf, Tree, leaves

_TEXT_OR_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?\d[\d.eE+-]*)')
_EXPONENT = re.compile(rb"e-\d\d$")  # as Python writes them; rarer ones are left to the typed decoder
WORDS_OF_A_NUMBER = 3  # of eight characters; float64 in full take 24, sign and exponent aside
_LONGEST_TEXT, _MOST_NUMBERS = 256, 256


class Format(NamedTuple):
    """What is to be expected of the numbers of one column: all that came so far fit.

    Attributes:
        words: how many words of eight characters hold one, sign and exponent aside.
        signed: whether one may begin with a minus.
        exponent: whether one may end in ``e-`` and two digits.
    """

    words: int = 1
    signed: bool = False
    exponent: bool = False

    def widened(self, number: bytes) -> "Format":
        """The least that holds one more number."""
        signed, exponent = number.startswith(b"-"), _EXPONENT.search(number) is not None
        words = (len(number) - signed - 4 * exponent + 7) // 8
        return Format(max(self.words, min(words, WORDS_OF_A_NUMBER)), self.signed or signed, self.exponent or exponent)


class Skeleton(NamedTuple):
    """One kind of line.

    Attributes:
        texts: before each number; the first is the end of one line and the beginning of the next.
        tail: of the first text, what belongs to the line before, its newline included.
        leaves: what each number is.
        markers: bytes of which each text has one, and no number any: by them the numbers are found.
    """

    texts: tuple[bytes, ...]
    tail: bytes
    leaves: tuple[Leaf, ...]
    markers: bytes

    @property
    def head(self) -> bytes:
        """Of the first text, what belongs to the line that begins."""
        return self.texts[0][len(self.tail) :]


def numbers(line: bytes) -> list[bytes]:
    """The numbers of a line, as they are written."""
    return [found[1] for found in _TEXT_OR_NUMBER.finditer(line) if found[1] is not None]


def skeleton(line: bytes, tree: dict[str, Tree], step_key: str | None) -> Skeleton | None:
    """What a line, without its newline, has in common with others of its ``tree``; None if that is not all but numbers.

    Any two lines with the same texts around well-formed numbers are parsed to the same keys in the same order.
    """
    every = list(leaves(tree))
    places = [found.span(1) for found in _TEXT_OR_NUMBER.finditer(line) if found[1] is not None]
    mine = tuple(leaf for leaf in every if leaf.kind in (Kind.NUMBER, Kind.WHOLE))
    if not 0 < len(places) <= _MOST_NUMBERS or any(_varies(leaf, step_key) for leaf in every):
        return None
    starts, ends = zip(*places, strict=True)
    pieces = [line[a:b] for a, b in zip((0, *ends), (*starts, len(line)), strict=True)]
    tail = pieces[-1] + b"\n"
    texts = (tail + pieces[0], *pieces[1:-1])
    markers = next((each for each in (b":", b",\n") if all(set(each) & set(text) for text in texts)), None)
    if markers is None or max(map(len, texts)) > _LONGEST_TEXT or not _in_order(pieces, len(mine)):
        return None
    return Skeleton(texts, tail, mine, markers)


def _varies(leaf: Leaf, step_key: str | None) -> bool:
    """Whether another than a number matters: it must be the same in every line, and say nothing of its own."""
    if leaf.kind is Kind.NUMBER:
        return False
    if leaf.kind is Kind.WHOLE:
        return leaf.clock is not Clock.SILENT
    return leaf.kind is Kind.SPELLED or leaf.clock is Clock.DATE or leaf.name == step_key


def _in_order(pieces: Sequence[bytes], count: int) -> bool:
    """Whether the numbers of a line are those of its parsed object, and come in the same order: no key comes twice."""
    probe = pieces[0] + b"".join(b"%d%s" % (index, piece) for index, piece in enumerate(pieces[1:]))
    return list(_whole(json.loads(probe))) == list(range(count)) == list(range(len(pieces) - 1))


def _whole(value: Any) -> Iterator[int]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _whole(each)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value
