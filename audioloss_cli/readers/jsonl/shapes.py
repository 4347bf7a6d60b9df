"""The kinds of rows of a log, learnt as they come, and which of them a line is of."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers.jsonl.kinds import UnfitError, describe
from audioloss_cli.readers.jsonl.shape import Shape

# Speculation is bounded: no more decoders than this are built or tried for a line, however odd the file.
_MOST_SHAPES, _MOST_TRIES, _MOST_LOOKS = 32, 4, 256


class Decoded(NamedTuple):
    """Structs of lines that follow each other, or one line that no decoder accepts.

    Attributes:
        first: index of the first line.
        shape: None for a line that no decoder accepts.
        rows: one struct a line.
    """

    first: int
    shape: Shape | None
    rows: list[Any]


class Shapes:
    """The decoders of one file."""

    def __init__(self, column: StepColumn, wants: Callable[[str], bool]) -> None:
        self._column = column
        self._wants = wants
        self._known = set[str]()
        self._seen: dict[object, int] = {}  # how often a row of such looks came
        self._by_quotes: dict[int, list[Shape]] = {}  # how many quotes a line has -> kinds it may be of
        self._recent: Shape | None = None
        self._lately = dict[Shape, int]()  # lines that were decoded since ``commonest`` was asked

    def learn(self, line: bytes, parsed: dict[str, Any], row: Row) -> None:
        """Have a decoder for lines such as this one, which none accepted, from the second of them on.

        A row that a decoder exists for and still refuses is looked at ever more rarely.
        """
        looks = (*parsed, *map(type, parsed.values()))
        if looks not in self._seen and len(self._seen) >= _MOST_LOOKS:
            return
        count = self._seen[looks] = self._seen.get(looks, 0) + 1
        if count > 1 and not count & (count - 1) and len(self._known) < _MOST_SHAPES:
            self._build(line, parsed, row)

    def _build(self, line: bytes, parsed: dict[str, Any], row: Row) -> None:
        try:
            tree = describe(parsed, self._column.key)
            if repr(tree) not in self._known:
                self._known.add(repr(tree))
                shape = Shape(line, tree, row, self._column, self._wants)
                self._by_quotes.setdefault(line.count(b'"'), []).insert(0, shape)
        except (UnfitError, ValueError):
            return

    def commonest(self) -> Shape | None:
        """The kind of which most lines were decoded since this was last asked."""
        lately, self._lately = self._lately, {}
        return max(lately, key=lately.__getitem__, default=None)

    def decode(self, lines: Sequence[bytes]) -> Iterator[Decoded]:
        """The lines in order: those that a decoder accepts in runs, each of the others alone."""
        rest, at = iter(lines), 0
        shape, rows = self._recent, list[Any]()
        while True:
            if shape is not None:
                shape.accept(rest, rows)
                if rows:
                    self._lately[shape] = self._lately.get(shape, 0) + len(rows)
                    yield Decoded(at, shape, rows)
                    at += len(rows)
            else:
                next(rest, None)
            if at == len(lines):
                return
            self._recent, rows = self._find(lines[at], shape) or (shape, [])
            shape = self._recent
            if not rows:
                yield Decoded(at, None, [])
                at += 1

    def _find(self, line: bytes, refused: Shape | None) -> tuple[Shape, list[Any]] | None:
        for shape in self._by_quotes.get(line.count(b'"'), ())[:_MOST_TRIES]:
            rows = list[Any]()
            if shape is not refused:
                shape.accept(iter([line]), rows)
            if rows:
                return shape, rows
        return None
