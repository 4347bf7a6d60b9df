"""A machine for pickles that imports and calls nothing: stack, marks and memo, as the protocol has them.

It knows every opcode of protocols 0 to 5. What an import, a call, an object or a reference to a storage comes to is for
those who derive from it to say.
"""

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from typing import IO, Any

from audioloss_cli.checkpoints.pickles.opcodes import operations

_EMPTY: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_LITERALS = frozenset({
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING"),
    *("SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "BINUNICODE"),
    *("SHORT_BINUNICODE", "BINUNICODE8"),
})  # fmt: skip


class Machine:
    """Goes through one pickle.

    Attributes:
        stack, marks: what was pushed since the last mark, and what lies below each mark.
        memo: by the number of the place.
        count: opcodes so far.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.count = 0

    def run(self, stream: IO[bytes]) -> Any:
        """Return what the pickle comes to, and leave the stream behind it.

        Raises:
            ValueError, TypeError, IndexError, KeyError: it is damaged.
        """
        argument: Any
        for name, argument in operations(stream):
            self.count += 1
            self.spend(name, argument)
            if name in _LITERALS:
                self.stack.append(self.literal(name, argument))
            elif name in _EMPTY:
                self.stack.append(_EMPTY[name]())
            elif name in _TUPLES:
                count = _TUPLES[name]
                self.stack[-count:] = [tuple(self._top(count))]
            elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
                self.memo[argument] = self.stack[-1]
            elif name == "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                self.stack.append(self.memo[argument])
            elif name == "STOP":
                return self.stack.pop()
            elif name not in ("PROTO", "FRAME"):
                _STEPS[name](self, argument)
        raise ValueError(stream)

    def spend(self, name: str, argument: Any) -> None:
        """Is told of each opcode before it is obeyed, to count or to refuse it."""

    def literal(self, name: str, value: Any) -> Any:
        """Return what stands for a number, a string or bytes."""
        del name
        return value

    def asked(self, module: str, name: str) -> Any:
        """Return what stands for an import."""
        raise NotImplementedError

    def computed(self, module: Any, name: Any) -> Any:
        """Return what stands for an import whose name a call gives."""
        raise NotImplementedError

    def extension(self, code: int) -> Any:
        """Return what stands for a number that copyreg gives a meaning to."""
        raise NotImplementedError

    def called(self, function: Any, arguments: Any) -> Any:
        """Return what stands for what a call gives."""
        raise NotImplementedError

    def made(self, kind: Any, arguments: Any) -> Any:
        """Return what stands for an object of a class; arguments by name come last, in a dict of their own."""
        raise NotImplementedError

    def built(self, target: Any, state: Any) -> Any:
        """Return what stands for an object whose attributes are set."""
        raise NotImplementedError

    def stored(self, reference: Any) -> Any:
        """Return what stands for something that lies elsewhere in the file."""
        raise NotImplementedError

    def split(self) -> None:
        """Is told of an argument that the unpickler in C would read in another way."""

    def buffer(self) -> Any:
        """Return what stands for a buffer that lies elsewhere."""
        raise NotImplementedError

    def update(self, target: Any, keys: list[Any], values: list[Any]) -> None:
        """Set keys of a dict, or of what stands for one."""
        raise NotImplementedError

    def extend(self, target: Any, items: list[Any]) -> None:
        """Append to a list, or to what stands for one."""
        raise NotImplementedError

    def members(self, kind: str, items: list[Any]) -> Any:
        """Return what stands for a set or a frozenset."""
        raise NotImplementedError

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

    def _pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._pop_mark()

    def _discard(self, _: Any) -> None:
        self._pop_mark()

    def _double(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def _tuple(self, _: Any) -> None:
        items = tuple(self._pop_mark())
        self.stack.append(items)

    def _list(self, _: Any) -> None:
        items = self._pop_mark()
        self.stack.append(items)

    def _dict(self, _: Any) -> None:
        items = self._pop_mark()
        self.stack.append({})
        self._update(items)

    def _append(self, _: Any) -> None:
        item = self.stack.pop()
        self.extend(self.stack[-1], [item])

    def _appends(self, _: Any) -> None:
        items = self._pop_mark()
        self.extend(self.stack[-1], items)

    def _empty_set(self, _: Any) -> None:
        self.stack.append(self.members("builtins.set", []))

    def _frozen_set(self, _: Any) -> None:
        items = self._pop_mark()
        self.stack.append(self.members("builtins.frozenset", items))

    def _set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _set_items(self, _: Any) -> None:
        self._update(self._pop_mark())

    def _update(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError(len(items))
        self.update(self.stack[-1], items[::2], items[1::2])

    def _global(self, argument: tuple[str, str]) -> None:
        self.stack.append(self._asked(*argument))

    def _stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        plain = type(name) is str and type(module) is str
        self.stack.append(self._asked(module, name) if plain else self.computed(module, name))

    def _asked(self, module: str, name: str) -> Any:
        """Names of Python 2 are those that its successor has for them."""
        return self.asked(*NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name)))

    def _extension(self, code: int) -> None:
        self.stack.append(self.extension(code))

    def _reduce(self, _: Any) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self.called(self.stack[-1], arguments)

    def _inst(self, argument: tuple[str, str]) -> None:
        arguments = tuple(self._pop_mark())
        self.stack.append(self.called(self._asked(*argument), arguments))

    def _obj(self, _: Any) -> None:
        kind, *arguments = self._pop_mark()
        self.stack.append(self.called(kind, tuple(arguments)))

    def _new_object(self, _: Any) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self.made(self.stack[-1], arguments)

    def _new_object_ex(self, _: Any) -> None:
        named, arguments = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple:
            raise TypeError
        self.stack[-1] = self.made(self.stack[-1], (arguments, named))

    def _build(self, _: Any) -> None:
        state = self.stack.pop()
        self.stack[-1] = self.built(self.stack[-1], state)

    def _persistent(self, _: Any) -> None:
        self.stack.append(self.stored(self.stack.pop()))

    def _persistent_text(self, argument: str) -> None:
        self.stack.append(self.stored(argument))

    def _split(self, _: Any) -> None:
        self.split()

    def _buffer(self, _: Any) -> None:
        self.stack.append(self.buffer())

    def _read_only(self, _: Any) -> None:
        self._top(1)


_STEPS: dict[str, Callable[[Any, Any], None]] = {
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "POP_MARK": Machine._discard,
    "DUP": Machine._double,
    "TUPLE": Machine._tuple,
    "LIST": Machine._list,
    "DICT": Machine._dict,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "EMPTY_SET": Machine._empty_set,
    "ADDITEMS": Machine._appends,
    "FROZENSET": Machine._frozen_set,
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "EXT1": Machine._extension,
    "EXT2": Machine._extension,
    "EXT4": Machine._extension,
    "REDUCE": Machine._reduce,
    "INST": Machine._inst,
    "OBJ": Machine._obj,
    "NEWOBJ": Machine._new_object,
    "NEWOBJ_EX": Machine._new_object_ex,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persistent,
    "PERSID": Machine._persistent_text,
    "SPLIT": Machine._split,
    "NEXT_BUFFER": Machine._buffer,
    "READONLY_BUFFER": Machine._read_only,
}
