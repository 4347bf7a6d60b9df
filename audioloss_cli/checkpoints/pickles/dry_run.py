"""A dry run of a pickle: what ``torch.load(weights_only=True)`` would build of it, without building it.

That reader runs no foreign code, but it believes what it reads: it allocates what a storage claims, calls ``bytearray``
with any number, matches regular expressions against names of any length, and gives back structures that hold
themselves. The machine here knows the opcodes of torch/_weights_only_unpickler.py (torch 2.13) as far as torch.save
writes them; for a tensor stands what its rebuilding was called with.
"""

from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

from audioloss_cli.checkpoints.pickles import calls
from audioloss_cli.checkpoints.pickles.machine import Machine
from audioloss_cli.checkpoints.pickles.values import Call, Global, Refusal, Storage
from audioloss_cli.checkpoints.words import clipped

_WRITTEN = frozenset({
    *("BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "LONG1"),
    *("NONE", "NEWTRUE", "NEWFALSE", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "STOP", "PROTO", "MARK", "TUPLE", "APPEND", "APPENDS"),
    *("SETITEM", "SETITEMS", "GLOBAL", "REDUCE", "NEWOBJ", "BUILD", "BINPERSID"),
})  # fmt: skip
_LONGEST_NAME = 1000
_DEEPEST = 100
_FREE_VISITS, _VISITS = 10_000, 10  # of the values that a walk comes by, beside one for each opcode
_MAPPINGS = ("collections.OrderedDict", "collections.Counter")


class Outline(NamedTuple):
    """What a pickle comes to.

    Attributes:
        value: plain values as they are; calls, storages and globals as what stands in for them.
        foreign: names that it asks for and that torch.load refuses, sorted.
        storages: each storage, by its key.
        claimed: bytes of all its tensors.
    """

    value: Any
    foreign: list[str]
    storages: dict[str, Storage]
    claimed: int


def outline(
    stream: IO[bytes], *, trusted: frozenset[str] = frozenset(), has_attribute: Callable[[str, str], bool]
) -> Outline:
    """Go through one pickle, and leave the stream behind it.

    Args:
        stream: at the pickle's first byte.
        trusted: full names of what the user has declared safe.
        has_attribute: whether a class (``Tensor``, ``Parameter`` or ``OrderedDict``) has an attribute of a name.

    Raises:
        Refusal: it is damaged, or torch.save does not write such a thing; in words that go on from the file's name.
    """
    machine = _DryRun(trusted, has_attribute)
    value = None
    try:
        value = machine.run(stream)
        _walk(value, machine.count)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if not machine.foreign:
            raise Refusal(f"is damaged, or no file of torch.save ({type(error).__name__})") from error
    except Refusal:
        if not machine.foreign:
            raise
    return Outline(value, sorted(machine.foreign), machine.storages, machine.claimed)


class _DryRun(Machine):
    """Refuses whatever torch.save does not write."""

    def __init__(self, trusted: frozenset[str], has_attribute: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.trusted, self.has_attribute = trusted, has_attribute
        self.foreign: set[str] = set()
        self.storages: dict[str, Storage] = {}
        self.claimed = 0

    def spend(self, name: str, argument: Any) -> None:
        if name not in _WRITTEN:
            raise Refusal(f"uses the pickle opcode {name}, which torch.save does not write")
        if name == "GLOBAL" and sum(map(len, argument)) >= _LONGEST_NAME:
            raise Refusal(f"asks for a name of {sum(map(len, argument)) + 1:,} characters")

    def asked(self, module: str, name: str) -> Global:
        full = f"{module}.{name}"
        if " " in full or not (calls.is_known(full) or full in self.trusted):
            self.foreign.add(full)
        return Global(full)

    def called(self, function: Any, arguments: Any) -> Call:
        if type(function) is not Global or type(arguments) is not tuple:
            raise TypeError
        if not self._is_others(function.name):
            self.claimed += calls.check_call(function.name, arguments)
            for owner, state in calls.states_of(function.name, arguments):
                calls.check_attributes(owner, state, self.has_attribute)
        return Call(function.name, arguments)

    def made(self, kind: Any, arguments: Any) -> Call:
        """torch.save makes objects of classes that the user has declared safe alone."""
        if type(kind) is not Global or not self._is_others(kind.name):
            raise Refusal("makes an object in a way that torch.save does not")
        return Call(kind.name, arguments)

    def built(self, target: Any, state: Any) -> Call:
        if type(target) is not Call:
            raise TypeError
        if target.name == "collections.OrderedDict":
            calls.check_attributes("OrderedDict", state, self.has_attribute)
        elif not self._is_others(target.name):
            raise Refusal(f"changes a {clipped(target.name, 80)} in a way that torch.save does not")
        target.state.append(state)
        return target

    def stored(self, reference: Any) -> Storage:
        """('storage', class, key, location, number of elements), and in old files a view."""
        kind, made, key, _location, count, *view = reference
        if kind != "storage" or type(made) is not Global or type(key) is not str or not key.isascii():
            raise TypeError
        if type(count) is not int or count < 0 or any(item is not None for item in view):
            raise TypeError
        storage = Storage(key, calls.itemsize_of(made.name), count)
        if self.storages.setdefault(key, storage).nbytes != storage.nbytes:
            raise Refusal(f"gives the storage {key[:80]!r} two sizes")
        return storage

    def extend(self, target: Any, items: list[Any]) -> None:
        if type(target) is not list:
            raise TypeError
        target.extend(items)

    def update(self, target: Any, keys: list[Any], values: list[Any]) -> None:
        if isinstance(target, Call) and target.name in _MAPPINGS:
            target = target.items
        if type(target) is not dict:
            raise TypeError
        calls.check_keys(keys)
        target.update(zip(keys, values, strict=True))

    def _is_others(self, name: str) -> bool:
        """Whether it is none of torch.save's own."""
        return name in self.foreign or name in self.trusted


def _walk(value: Any, count: int) -> None:
    """Come by every value as whatever goes through the structure later will.

    Raises:
        Refusal: the structure is too deep, holds itself, or is small only as long as its parts are shared.
    """
    left = _FREE_VISITS + _VISITS * count
    branches = [iter((value,))]
    while branches:
        item = next(branches[-1], branches)
        if item is branches:
            branches.pop()
            continue
        left -= 1
        inner = _inner(item)
        if inner is not None:
            branches.append(inner)
        if len(branches) > _DEEPEST or left < 0:
            raise Refusal(f"holds itself, or is nested more than {_DEEPEST} levels deep")


def _inner(value: Any) -> Iterator[Any] | None:
    if isinstance(value, Call):
        return iter(value.parts())
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value) if isinstance(value, (list, tuple)) and not isinstance(value, (Global, Storage)) else None
