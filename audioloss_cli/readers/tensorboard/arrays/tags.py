"""The points of a window tag by tag, in the order of the files, and into the collector of each file."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any

import numpy as np  # noqa: TID253  # opened late, where arrays are worth it

from audioloss_cli.readers.tensorboard.arrays.groups import Found
from audioloss_cli.readers.tensorboard.arrays.pieces import Piece, pieces
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import Place


class Tag:
    """All points of a tag in a window.

    Attributes:
        name: of the tag.
        named: whether a record of it names a plugin.
    """

    def __init__(self, pieces: Sequence[Piece], files: Any) -> None:
        self.name = pieces[0].place.tag
        self.named = any(piece.place.plugin is not None for piece in pieces)
        self._pieces = pieces
        self._alike = len({(piece.place.tensor, piece.place.is_scalar, piece.place.plugin) for piece in pieces}) == 1
        self._ends = list(accumulate(len(piece.records) for piece in pieces))
        # int64 [points]: their records, and if these do not ascend, how they would; the sort is stable, and pieces that
        # share a record come in the order of their places.
        self._records = pieces[0].records if len(pieces) == 1 else np.concatenate([each.records for each in pieces])
        self._order = None if len(pieces) == 1 else np.argsort(self._records, kind="stable")
        self._files = self._first(files)
        self._columns: tuple[Any, Any, Any] | None = None
        self._owners: Any = None

    def spans(self) -> Iterator[tuple[int, "Span"]]:
        """The points of each file that has any, and the number of that file."""
        for file in np.flatnonzero(np.diff(self._files)).tolist():
            yield file, (self, int(self._files[file]), int(self._files[file + 1]))

    def key(self, point: int) -> tuple[int, int]:
        """Where a point stands: number of its record, and of the place in it."""
        at = point if self._order is None else int(self._order[point])
        return int(self._records[at]), self._pieces[bisect_right(self._ends, at)].number

    def before(self, record: int) -> int:
        """How many points lie before a record."""
        return int(self._first(record))

    def _first(self, records: Any) -> Any:
        return np.searchsorted(self._records, records, sorter=self._order)

    def first_named(self, begin: int, end: int) -> tuple[int, Place] | None:
        """The first point among these whose plugin is named, and its place."""
        owners, firsts = np.unique(self._owners_of(begin, end), return_index=True)
        places = [self._pieces[owner].place for owner in owners.tolist()]
        found = [pair for pair in zip(firsts.tolist(), places, strict=True) if pair[1].plugin is not None]
        return min((begin + first, place) for first, place in found) if found else None

    def counted(self, scalars: Scalars, begin: int, end: int) -> Any:
        """Those of these points that are scalars: a slice, or int64 numbers; None if none are."""
        if self._alike:  # the commonest
            return slice(begin, end) if scalars.counts(self._pieces[0].place) else None
        counts = np.zeros(len(self._pieces), bool)
        owners = self._owners_of(begin, end)
        for owner in np.unique(owners).tolist():
            counts[owner] = scalars.counts(self._pieces[owner].place)
        return begin + np.flatnonzero(counts[owners]) if counts.any() else None

    def _owners_of(self, begin: int, end: int) -> Any:
        """int64 [points], to which piece each of these belongs."""
        if self._owners is None:
            owners = np.repeat(np.arange(len(self._pieces)), np.diff(self._ends, prepend=0))
            self._owners = owners if self._order is None else owners[self._order]
        return self._owners[begin:end]

    def put(self, counted: Any, scalars: Scalars) -> None:
        """Put these points into the collector; the bare name, where they are not wanted."""
        if not scalars.wants(self.name):
            scalars.put_many(self.name, *(np.zeros(0),) * 3)
            return
        if self._columns is None:
            self._columns = self._joined()
        scalars.put_many(self.name, *(each[counted] for each in self._columns))

    def _joined(self) -> tuple[Any, Any, Any]:
        """Steps, values and wall times of all points."""
        parts = [piece.columns() for piece in self._pieces]
        if self._order is None:
            return parts[0]
        steps, values, times = (np.concatenate(each)[self._order] for each in zip(*parts, strict=True))
        return steps, values, times


#: A tag, and of its points the first and the one behind the last.
Span = tuple[Tag, int, int]


def tags_of(found: Sequence[Found], files: Sequence[int]) -> list[Tag]:
    """All points by tag; ``files`` are the numbers of the first records of the files, then that of the records."""
    tags: dict[str, list[Piece]] = {}
    for each in found:
        for piece in pieces(each):
            tags.setdefault(piece.place.tag, []).append(piece)
    bounds = np.array(files)
    return [Tag(parts, bounds) for parts in tags.values()]


def by_file(tags: Sequence[Tag], count: int) -> list[list[Span]]:
    """The points of each of so many files."""
    found: list[list[Span]] = [[] for _ in range(count)]
    for tag in tags:
        for file, span in tag.spans():
            found[file].append(span)
    return found


def hand_over(tags: Sequence[Span], scalars: Scalars) -> None:
    """Put points of tags, at least one each, into the collector: tags in the order in which they first count."""
    found = list[tuple[tuple[int, int], Tag, Any]]()
    for tag, begin, end in tags:
        counted = tag.counted(scalars, begin, end)
        if counted is not None:
            found.append((tag.key(begin if isinstance(counted, slice) else int(counted[0])), tag, counted))
    for _, tag, counted in sorted(found, key=itemgetter(0)):
        tag.put(counted, scalars)
