"""Goes through any pickle to its end: plain values stay, tensors are found, and nothing is imported, called or made."""

from typing import IO, Any, NamedTuple

from audioloss_cli.checkpoints.pickles import tensors
from audioloss_cli.checkpoints.pickles.machine import Machine
from audioloss_cli.checkpoints.pickles.tables import DTYPES, STORAGES
from audioloss_cli.checkpoints.pickles.trees import DEEPEST, trim
from audioloss_cli.checkpoints.pickles.values import Call, Global, Location, Refusal, Storage
from audioloss_cli.checkpoints.stored import Fault, StoredTensor
from audioloss_cli.checkpoints.words import clipped
from audioloss_cli.model import Severity

DAMAGED, UNSAFE = "damaged-file", "unsafe-pickle"
_SMALL = 1 << 60  # integers below it hash to themselves, so that no choice of them collides
_LARGE_BITS = 1024
_TUPLE_KEYS, _LONGEST_KEY = 1000, 16  # for the hashes of tuples collide where somebody wants them to
_LONGEST_NAME, _MOST_NAMES = 400, 2000
_MOST_FAULTS = 20
_BOOKS = frozenset({"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"})
_ENCODINGS = frozenset({"latin1", "latin-1", "utf-8", "utf8", "ascii"})
_NESTED = frozenset({
    *("pickle.loads", "_pickle.loads", "pickle.load", "_pickle.load", "cPickle.loads", "dill.loads", "joblib.load"),
    *("cloudpickle.loads", "cloudpickle.cloudpickle.loads", "dill._dill.loads", "pickle._loads", "pickle._load"),
    *("torch.load", "torch.serialization.load", "torch.storage._load_from_bytes", "marshal.loads"),
    *("pandas.read_pickle", "pandas.io.pickle.read_pickle", "numpy.load", "joblib.numpy_pickle.load"),
})  # fmt: skip
_GETTER = "builtins.getattr"
# Opcodes that put values of the stack into something, and how many of them; 0 for all since the last mark.
_TAKES = {
    **dict.fromkeys(("TUPLE1", "APPEND", "REDUCE", "BINPERSID", "STOP"), 1),
    **dict.fromkeys(("TUPLE2", "SETITEM", "BUILD", "NEWOBJ", "STACK_GLOBAL"), 2),
    **dict.fromkeys(("TUPLE3", "NEWOBJ_EX"), 3),
    **dict.fromkeys(("TUPLE", "LIST", "DICT", "APPENDS", "SETITEMS", "ADDITEMS", "FROZENSET", "INST", "OBJ"), 0),
}
# Bytes that an opcode can make Python allocate, at most, beside those of its argument.
_COSTS = {
    **dict.fromkeys(("EMPTY_DICT", "DICT", "EMPTY_SET", "FROZENSET"), 240),
    **dict.fromkeys(("REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ", "BUILD", "GLOBAL", "STACK_GLOBAL"), 240),
    **dict.fromkeys(("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "EMPTY_LIST", "LIST", "MARK"), 120),
}
_USUAL_COST = 64
_FREE_COST, _COST, _MOST_COST = 256 << 20, 16, 2 << 30


class PickleContents(NamedTuple):
    """What a pickle holds.

    Attributes:
        value: plain values as they are, an ``OrderedDict`` as a dict, a parameter as its tensor; what is no key of a
            dict that could be trusted is an ``OddKey``. It is a tree: what holds itself is cut (``Cut``).
        imports: full names of everything that loading it would import, sorted.
        faults: what is wrong with it.
        storages: each storage that it speaks of, by its key.
        opcodes: how many it has.
    """

    value: Any
    imports: list[str]
    faults: list[Fault]
    storages: dict[str, Storage]
    opcodes: int


class OddKey:
    """A key of a dict that is no plain one, such as a list or an enormous number; it is equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def read_pickle_stream(
    stream: IO[bytes], name: object = "the pickle", locate: tensors.Locate | None = None
) -> PickleContents:
    """Go through one pickle, and leave the stream behind it.

    Time and memory grow with the length of the stream, whatever lies in it.

    Args:
        stream: at the pickle's first byte; seekable.
        name: what to call the file in messages.
        locate: finds the bytes of a storage; without it no tensor is found.
    """
    walker = _Walker(name, locate or _nowhere, _length_of(stream))
    value = None
    try:
        value = walker.run(stream)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        walker.fault(
            DAMAGED, Severity.CRITICAL, f"is damaged, or no pickle: after {walker.count:,} opcodes {_told(error)}"
        )
    except Refusal as refusal:
        walker.fault(UNSAFE, Severity.WARNING, str(refusal))
    trimmed = trim(value, walker.count)
    if trimmed.deep:
        walker.fault(
            DAMAGED, Severity.WARNING, f"is nested more than {DEEPEST} levels deep; what lies deeper is left out"
        )
    if trimmed.wide:
        walker.fault(
            DAMAGED, Severity.WARNING, "refers to its own parts so often that it cannot be listed; the rest is left out"
        )
    return PickleContents(trimmed.value, walker.asked_for(), walker.faults, walker.storages, walker.count)


class _Walker(Machine):
    """Takes everything as far as the unpickler of CPython might take it."""

    def __init__(self, name: object, locate: tensors.Locate, size: int) -> None:
        super().__init__()
        self.name, self.locate = name, locate
        self.imports: dict[str, Global] = {}
        self.faults: list[Fault] = []
        self.storages: dict[str, Storage] = {}
        self.left = min(_FREE_COST + _COST * size, _MOST_COST + size)
        self.tuple_keys = 0
        self.copied = 0
        self.encoded: dict[int, tuple[str, bytes]] = {}
        self.is_getter_loose = False

    def fault(self, code: str, severity: Severity, words: str) -> None:
        """Note a fault, in words that go on from the name of the file; once, and not without end."""
        fault = Fault(code, severity, f"{self.name} {words}")
        if len(self.faults) < _MOST_FAULTS and fault not in self.faults:
            self.faults.append(fault)

    def spend(self, name: str, argument: Any) -> None:
        self.left -= _COSTS.get(name, _USUAL_COST)
        if type(argument) in (str, bytes):
            self.left -= 4 * len(argument)
        if self.left < 0:
            raise Refusal(
                f"asks for more memory than its length allows; what comes after {self.count:,} opcodes is unknown"
            )

        if _GETTER in self.imports and name in _TAKES:
            self._watch(name)

    def _watch(self, name: str) -> None:
        """See whether ``getattr`` goes anywhere but to where it is called at once, as it is for members of an Enum."""
        count = _TAKES[name]
        getter, taken = self.imports[_GETTER], self.stack[-count:] if count else self.stack
        self.is_getter_loose |= any(each is getter for each in taken)

    def literal(self, name: str, value: Any) -> Any:
        if type(value) is int and value.bit_length() > _LARGE_BITS:
            return Call("builtins.int", (value.bit_length(),))
        return value

    def asked(self, module: str, name: str) -> Global:
        if len(module) > _LONGEST_NAME or len(name) > _LONGEST_NAME:
            self.fault(UNSAFE, Severity.CRITICAL, f"asks for a name of {len(module) + len(name):,} characters")
        full = f"{module[:_LONGEST_NAME]}.{name[:_LONGEST_NAME]}"
        known = self.imports.get(full)
        if known is None:
            known = Global(full)
            if len(self.imports) < _MOST_NAMES:
                self.imports[full] = known
            else:
                self.fault(
                    UNSAFE, Severity.CRITICAL, f"asks for more than {_MOST_NAMES:,} names; the others are not listed"
                )
        return known

    def computed(self, module: Any, name: Any) -> Global:
        part = name if type(name) is str else module if type(module) is str else ""
        self.fault(
            UNSAFE, Severity.CRITICAL, f"imports something whose name it computes ({part[:80]!r} is a part of it)"
        )
        return self.asked("(computed)", "(computed)")

    def extension(self, code: int) -> Global:
        return self.asked("copyreg", f"extension {code}")

    def called(self, function: Any, arguments: Any) -> Any:
        if type(function) is not Global or type(arguments) is not tuple:
            return Call("", (function, arguments))
        name = function.name
        if name == _GETTER:
            return self._attribute(arguments)
        if name in tensors.NAMES_OF_CALLS:
            return self._tensor(name, arguments)
        if name in _NESTED:
            self.fault(
                UNSAFE,
                Severity.WARNING,
                f"calls {name} on what it holds: a pickle in the pickle, which is not followed",
            )
        return self._plain(name, arguments)

    def made(self, kind: Any, arguments: Any) -> Any:
        if type(kind) is not Global:
            return Call("", (kind, arguments))
        return {} if kind.name in _BOOKS and arguments == () else Call(kind.name, arguments)

    def built(self, target: Any, state: Any) -> Any:
        if type(target) is Call:
            target.state.append(state)
        elif type(target) not in (dict, StoredTensor):
            what = target.name if type(target) is Global else type(target).__name__
            self.fault(UNSAFE, Severity.WARNING, f"changes attributes of {clipped(what, 80)}, which it did not make")
        return target

    def stored(self, reference: Any) -> Any:
        """('storage', class, key, location, number of elements), and in old files a view."""
        if type(reference) is not tuple or len(reference) < 5 or reference[0] != "storage":  # noqa: PLR2004
            return Call("", (reference,))
        made, key, count = reference[1], reference[2], reference[4]
        if type(made) is not Global or type(key) is not str or type(count) is not int or not 0 <= count < _SMALL:
            self.fault(DAMAGED, Severity.CRITICAL, "speaks of a storage in a way that torch.save does not")
            return Call("", (reference,))
        dtype = STORAGES.get(made.name.rpartition(".")[2], "uint8")
        storage = Storage(key, DTYPES[dtype], count, dtype)
        if self.storages.setdefault(key, storage).nbytes != storage.nbytes:
            self.fault(DAMAGED, Severity.CRITICAL, f"gives the storage {key[:80]!r} two sizes")
        return storage

    def split(self) -> None:
        self.fault(UNSAFE, Severity.CRITICAL, "hides what it imports: an argument crosses the end of a frame")

    def buffer(self) -> Call:
        return Call("", ())

    def update(self, target: Any, keys: list[Any], values: list[Any]) -> None:
        if type(target) is Call:
            target = target.items
        if type(target) is dict:
            target.update(zip(map(self._key, keys), values, strict=True))

    def extend(self, target: Any, items: list[Any]) -> None:
        if type(target) is Call:
            target = target.added
        if type(target) is list:
            target.extend(items)

    def members(self, kind: str, items: list[Any]) -> Call:
        found = Call(kind, ())
        found.added.extend(items)
        return found

    def _key(self, key: Any) -> Any:
        if _is_scalar(key) or type(key) is Call:
            return key
        if (
            type(key) is tuple
            and len(key) <= _LONGEST_KEY
            and self.tuple_keys < _TUPLE_KEYS
            and all(map(_is_scalar, key))
        ):
            self.tuple_keys += 1
            return key
        return OddKey(key)

    def _tensor(self, name: str, arguments: tuple[Any, ...]) -> Any:
        try:
            return tensors.rebuilt(name, arguments, self.locate)
        except Refusal as refusal:
            if self.locate is not _nowhere:
                self.fault(DAMAGED, Severity.CRITICAL, str(refusal))
        except (TypeError, ValueError, IndexError, AttributeError):
            self.fault(DAMAGED, Severity.CRITICAL, f"calls {name} in a way that torch.save does not")
        return Call(name, arguments)

    def _attribute(self, arguments: tuple[Any, ...]) -> Any:
        """What ``getattr`` gives: a name of a name; of anything else it may be whatever there is."""
        owner, name = arguments if len(arguments) == 2 else (None, None)  # noqa: PLR2004
        if type(owner) is Global and type(name) is str:
            return self.asked(owner.name, name)
        self.is_getter_loose = True
        return Call(_GETTER, arguments)

    def asked_for(self) -> list[str]:
        """Return the names that a load would import, sorted; ``getattr`` is left out where what it gives is known."""
        return sorted(name for name in self.imports if name != _GETTER or self.is_getter_loose)

    def _plain(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What a call of a few harmless functions gives, else what stands for it."""
        first = arguments[0] if arguments else None
        if name in _BOOKS and not self.is_too_much(arguments):
            book: Any = next((each for each in arguments if type(each) in (dict, list)), {})
            pairs = list(book.items()) if type(book) is dict else book
            if all(type(pair) in (tuple, list) and len(pair) == 2 for pair in pairs):  # noqa: PLR2004
                return {self._key(key): value for key, value in pairs}
        elif name == "torch.Size" and type(first) is tuple:
            return first
        elif name == "_codecs.encode" and type(first) is str and arguments[1:] and arguments[1] in _ENCODINGS:
            return self._bytes(first, arguments[1])
        elif name in ("builtins.bytearray", "builtins.bytes") and type(first) is bytes:
            return first
        return Call(name, arguments)

    def is_too_much(self, arguments: tuple[Any, ...]) -> bool:
        """Whether copying what a call is given, once more, is more than the opcodes so far allow."""
        self.copied += sum(len(each) for each in arguments if type(each) in (dict, list))
        return self.copied > 10 * self.count + 10_000

    def _bytes(self, text: str, encoding: str) -> bytes:
        """Text as bytes; the same text once, however often the pickle asks."""
        if id(text) not in self.encoded:
            self.encoded[id(text)] = (text, text.encode(encoding, "replace"))
        return self.encoded[id(text)][1]


def _is_scalar(key: Any) -> bool:
    kind = type(key)
    return kind in (str, bytes, bool, float) or key is None or (kind is int and abs(key) < _SMALL)


def _nowhere(_: Storage) -> Location | None:
    return None


def _length_of(stream: IO[bytes]) -> int:
    place = stream.tell()
    stream.seek(0, 2)
    end = stream.tell()
    stream.seek(place)
    return end - place


def _told(error: Exception) -> str:
    words = str(error)[:100] if type(error) is ValueError else ""
    return words.replace("\n", " ") or f"comes what makes no sense ({type(error).__name__})"
