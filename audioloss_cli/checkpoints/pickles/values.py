"""What stands in for whatever a pickle would import, call or make."""

from pathlib import Path
from typing import Any, NamedTuple


class Refusal(Exception):  # noqa: N818  # it is no error of ours
    """What is wrong with a pickle, in words that go on from the name of its file."""


class Global(NamedTuple):
    """A function or class that a pickle asks for, by its full name."""

    name: str


class Storage(NamedTuple):
    """Bytes of tensors, elsewhere in the file.

    Attributes:
        key: its name in the file.
        itemsize: bytes of one element.
        elements: how many it is said to have.
        dtype: of its elements, by the name that torch has.
    """

    key: str
    itemsize: int
    elements: int
    dtype: str = ""

    @property
    def nbytes(self) -> int:
        """Its length."""
        return self.itemsize * self.elements


class Call:
    """What a call would have given, and what would have been done to it afterwards; it is itself and nothing else.

    Attributes:
        name: of the function or class; empty where what a call gives would have been called in turn.
        arguments: in general a tuple; a file may give anything.
        items: keys and values that would have been set in it.
        state: what it would have been given for its attributes, one for each time.
        added: what would have been appended to it.
    """

    __slots__ = ("_added", "_items", "_state", "arguments", "name")

    def __init__(self, name: str, arguments: Any) -> None:
        self.name, self.arguments = name, arguments
        self._items: dict[Any, Any] | None = None
        self._state: list[Any] | None = None
        self._added: list[Any] | None = None

    def __repr__(self) -> str:
        return f"Call({self.name[:100]!r})"

    @property
    def items(self) -> dict[Any, Any]:
        """Keys and values that would have been set in it."""
        if self._items is None:
            self._items = {}
        return self._items

    @property
    def state(self) -> list[Any]:
        """What it would have been given for its attributes."""
        if self._state is None:
            self._state = []
        return self._state

    @property
    def added(self) -> list[Any]:
        """What would have been appended to it."""
        if self._added is None:
            self._added = []
        return self._added

    def parts(self) -> tuple[Any, ...]:
        """Return everything in it, without making what there is not."""
        found = (self.arguments, self._items, self._state, self._added)
        return tuple(part for part in found if part is not None)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes that it would have been given, by name; empty where they are in no known form."""
        found: dict[str, Any] = {}
        for state in self._state or ():
            for part in state if type(state) is tuple else (state,):
                if type(part) is dict:
                    found.update((name, value) for name, value in part.items() if type(name) is str)
        return found


class Cut:
    """Stands where something was cut off: a structure that holds itself, or is too deep or too large as a tree."""

    __slots__ = ()


class Location(NamedTuple):
    """Where the bytes of a storage lie.

    Attributes:
        file: that they lie in.
        offset: of the first byte; within the entry where it is compressed.
        nbytes: how many there are.
        entry: name of the compressed entry of an archive; empty where they lie in the file as they are.
    """

    file: Path
    offset: int
    nbytes: int
    entry: str = ""
