"""The defects of one file: each by itself, or one for many of a kind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from audioloss_cli.model import Defect
from audioloss_cli.model.series import DefectKind
from audioloss_cli.readers.tensorboard.newlines import STORIES, Copied

_MOST_OF_A_KIND = 16  # that are told one by one
_BY_A_COPY: tuple[DefectKind, ...] = ("framing", "checksum", "truncated")


@dataclass(slots=True)
class _Kind:
    """Defects of one kind: the first ones, how many there are, and where the last one is."""

    first: list[Defect]
    count: int = 0
    last: int | None = None


class Defects:
    """What is wrong with a file, gathered until all of it was read; memory does not grow with their number."""

    def __init__(self) -> None:
        self._kinds: dict[DefectKind, _Kind] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, defect: Defect) -> None:
        """The next one."""
        kind = self._kinds.setdefault(defect.kind, _Kind([]))
        kind.count, kind.last = kind.count + 1, defect.offset
        if kind.count <= _MOST_OF_A_KIND:
            kind.first.append(defect)

    def drop(self, kind: DefectKind) -> None:
        """Forget those of a kind, for something else explains them."""
        self._kinds.pop(kind, None)

    def all(self, copied: Copied | None = None) -> Iterator[Defect]:
        """In the order of their places, one for each kind that there are many of.

        Args:
            copied: a copy in text mode is to blame, so that one says all that is wrong with records.
        """
        found = self._told_as_one(copied) if copied else []
        for kind in self._kinds.values():
            found += [_as_one(kind)] if kind.count > _MOST_OF_A_KIND else kind.first
        yield from sorted(found, key=lambda defect: defect.offset or 0)

    def _told_as_one(self, copied: Copied) -> list[Defect]:
        kinds = [found for kind in _BY_A_COPY if (found := self._kinds.pop(kind, None)) is not None]
        if not kinds:
            return []
        first = min((kind.first[0] for kind in kinds), key=lambda defect: defect.offset or 0)
        count = sum(kind.count for kind in kinds)
        places = "at one place" if count == 1 else f"at {count:,} places"
        message = f"{STORIES[copied]} and records cannot be read {places}; copy the log again, in binary mode"
        return [Defect(first.path, "encoding", message, first.offset)]


def _as_one(kind: _Kind) -> Defect:
    first = kind.first[0]
    last = "" if kind.last is None else f", the last at byte {kind.last}"
    return replace(first, message=f"{first.message}; {kind.count - 1:,} more of this kind follow{last}")
