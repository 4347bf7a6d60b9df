"""A dry run of a pickle: what ``torch.load(weights_only=True)`` would build of it, without building it.

That reader runs no foreign code, but it believes what it reads: it allocates what a storage claims, calls ``bytearray``
with any number, matches regular expressions against names of any length, and gives back structures that hold
themselves. The machine here knows the opcodes of torch/_weights_only_unpickler.py (torch 2.13) as far as torch.save
writes them; for a tensor stands what its rebuilding was called with.
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

import torch
from torch._utils import IMPORT_MAPPING, NAME_MAPPING

from audioloss_cli.probe.model_io.checkpoint import calls
from audioloss_cli.probe.model_io.checkpoint.calls import Call, Global, Refusal, Storage

_LITERALS = {"BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "LONG1"}
_EMPTY: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
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


def outline(stream: IO[bytes]) -> Outline:
    """Go through one pickle, and leave the stream behind it.

    Raises:
        Refusal: it is damaged, or torch.save does not write such a thing; in words that go on from the file's name.
    """
    machine = _Machine()
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


class _Machine:
    """Stack, marks and memo, as the pickle protocol has them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.foreign: set[str] = set()
        self.storages: dict[str, Storage] = {}
        self.claimed = self.count = 0
        self.trusted = {f"{each.__module__}.{each.__qualname__}" for each in _trusted()}

    def run(self, stream: IO[bytes]) -> Any:
        argument: Any
        for opcode, argument, _ in pickletools.genops(stream):
            self.count += 1
            name = opcode.name
            if name in _LITERALS:
                self.stack.append(argument)
            elif name in _EMPTY:
                self.stack.append(_EMPTY[name]())
            elif name in _TUPLES:
                count = _TUPLES[name]
                self.stack[-count:] = [tuple(self._top(count))]
            elif name in ("BINPUT", "LONG_BINPUT"):
                self.memo[argument] = self.stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                self.stack.append(self.memo[argument])
            elif name == "STOP":
                return self.stack.pop()
            elif name != "PROTO":
                step = _STEPS.get(name)
                if step is None:
                    raise Refusal(f"uses the pickle opcode {name}, which torch.save does not write")
                step(self, argument)
        raise ValueError(stream)

    def _top(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError(count)
        return self.stack[-count:]

    def _pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _mark(self, _: Any) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def _tuple(self, _: Any) -> None:
        items = tuple(self._pop_mark())
        self.stack.append(items)

    def _append(self, _: Any) -> None:
        self._extend([self.stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError
        self.stack[-1].extend(items)

    def _set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _set_items(self, _: Any) -> None:
        self._update(self._pop_mark())

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Call) and target.name in _MAPPINGS:
            target = target.items
        if type(target) is not dict:
            raise TypeError
        keys, values = items[::2], items[1::2]
        calls.check_keys(keys)
        target.update(zip(keys, values, strict=True))

    def _global(self, argument: str) -> None:
        if len(argument) > _LONGEST_NAME:
            raise Refusal(f"asks for a name of {len(argument):,} characters")
        module, _, name = argument.partition(" ")
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        full = f"{module}.{name}"
        if " " in name or not (calls.is_known(full) or full in self.trusted):
            self.foreign.add(full)
        self.stack.append(Global(full))

    def _reduce(self, _: Any) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if type(function) is not Global or type(arguments) is not tuple:
            raise TypeError
        if function.name not in self.foreign and function.name not in self.trusted:
            self.claimed += calls.check_call(function.name, arguments)
        self.stack[-1] = Call(function.name, arguments)

    def _new_object(self, _: Any) -> None:
        """torch.save makes objects of classes that the user has declared safe alone."""
        arguments, made = self.stack.pop(), self.stack[-1]
        if type(made) is not Global or not (made.name in self.foreign or made.name in self.trusted):
            raise Refusal("makes an object in a way that torch.save does not")
        self.stack[-1] = Call(made.name, arguments)

    def _build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is not Call:
            raise TypeError
        if target.name == "collections.OrderedDict":
            calls.check_attributes(OrderedDict, state)
        elif target.name not in self.foreign and target.name not in self.trusted:
            raise Refusal(f"changes a {target.name[:80]} in a way that torch.save does not")
        target.state.append(state)

    def _persistent(self, _: Any) -> None:
        """('storage', class, key, location, number of elements), and in old files a view."""
        kind, made, key, _location, count, *view = self.stack.pop()
        if kind != "storage" or type(made) is not Global or type(key) is not str or not key.isascii():
            raise TypeError
        if type(count) is not int or count < 0 or any(item is not None for item in view):
            raise TypeError
        storage = Storage(key, calls.itemsize_of(made.name), count)
        if self.storages.setdefault(key, storage).nbytes != storage.nbytes:
            raise Refusal(f"gives the storage {key[:80]!r} two sizes")
        self.stack.append(storage)


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine._mark,
    "TUPLE": _Machine._tuple,
    "APPEND": _Machine._append,
    "APPENDS": _Machine._appends,
    "SETITEM": _Machine._set_item,
    "SETITEMS": _Machine._set_items,
    "GLOBAL": _Machine._global,
    "REDUCE": _Machine._reduce,
    "NEWOBJ": _Machine._new_object,
    "BUILD": _Machine._build,
    "BINPERSID": _Machine._persistent,
}


def _trusted() -> list[Any]:
    """What the code of the user has declared safe."""
    return [each for each in torch.serialization.get_safe_globals() if not isinstance(each, tuple)]


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
        return iter((value.arguments, value.items, value.state))
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value) if isinstance(value, (list, tuple)) and not isinstance(value, (Global, Storage)) else None
