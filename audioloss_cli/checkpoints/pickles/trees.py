"""What a pickle comes to, cut to a tree that can be gone through without a care."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.pickles.values import Call, Cut, Global, Storage

DEEPEST = 100
_FREE_VISITS, _VISITS = 10_000, 10  # of the values that a walk comes by, beside one for each opcode


class Trimmed(NamedTuple):
    """A tree.

    Attributes:
        value: where something was cut off stands a ``Cut``.
        deep, wide: whether something was cut for its depth, or since it is small only as long as its parts are shared.
    """

    value: Any
    deep: bool
    wide: bool


def trim(value: Any, count: int) -> Trimmed:
    """Cut a structure where it holds itself, is too deep, or becomes too large as a tree; it is changed in its place.

    Args:
        value: what a machine made of a pickle.
        count: opcodes of that pickle: the tree may be so many times larger.
    """
    return _Pruning(_FREE_VISITS + _VISITS * count).run(value)


class _Frame:
    """A container that the walk is in, its children, and where in it the walk stands."""

    __slots__ = ("children", "container", "place", "settable")

    def __init__(self, container: Any) -> None:
        self.container = container
        self.children = _children(container)
        self.settable = type(container) in (list, dict)
        self.place: Any = None


class _Pruning:
    def __init__(self, left: int) -> None:
        self.left = left
        self.deep = self.wide = False
        self.frames: list[_Frame] = []
        self.path: set[int] = set()

    def run(self, value: Any) -> Trimmed:
        root = [value]
        self._enter(root)
        while self.frames:
            frame = self.frames[-1]
            place, child = next(frame.children, (None, frame))
            if child is frame:
                self._leave()
                continue
            frame.place = place
            self.left -= 1
            if type(child) is Call or (type(child) in (list, dict, tuple) and child):
                if id(child) in self.path:
                    self._cut()
                elif len(self.frames) > DEEPEST:
                    self.deep = True
                    self._cut()
                elif self.left < 0:
                    self.wide = True
                    self._cut()
                else:
                    self._enter(child)
        return Trimmed(root[0], self.deep, self.wide)

    def _enter(self, container: Any) -> None:
        self.frames.append(_Frame(container))
        self.path.add(id(container))

    def _leave(self) -> None:
        self.path.discard(id(self.frames.pop().container))

    def _cut(self) -> None:
        """Cut the child that the walk stands at: off the innermost container that can be changed."""
        while not (self.frames[-1].settable and self.frames[-1].place is not _KEY):
            self._leave()
        frame = self.frames[-1]
        frame.container[frame.place] = Cut()


_KEY = object()  # the place of what is a key


def _children(container: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the places and values in it, beside plain ones."""
    if type(container) is Call:
        for part in container.parts():
            yield None, part
    elif type(container) is dict:
        for key, value in list(container.items()):
            if type(key) is Call:
                yield _KEY, key
            yield key, value
    elif type(container) is list:
        yield from enumerate(container)
    elif not isinstance(container, (Global, Storage)):
        for value in container:
            yield None, value
