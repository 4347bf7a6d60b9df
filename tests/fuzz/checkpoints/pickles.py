"""Pickles as no honest program writes them: endless, enormous, or with code in them."""

import os
import pickle
import pickletools
import random
import struct
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

CANARY = Path(tempfile.gettempdir()) / f"audioloss-canary-{os.getpid()}"  # is made by whatever runs a pickle
_MODULES = ("os", "posix", "builtins", "subprocess", "torch", "torch.nn", "numpy", "__main__", "importlib", "sys")
_NAMES = ("system", "mkdir", "eval", "exec", "Popen", "getattr", "load", "ones", "Linear", "import_module", "exit")
_OPCODES = b"()}]tsuaelqhrjXKJMNG\x85\x86\x87\x88\x89\x8a\x8f\x90\x93\x94\x95RQbo\x81cU2010.IVLSFgpid"


def whole(value: bytes) -> bytes:
    """A pickle of one value, from its opcodes."""
    return b"\x80\x02" + value + b"."


def name(module: str, attribute: str) -> bytes:
    """A global."""
    return b"c" + f"{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    """A string."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value: int) -> bytes:
    """A whole number of any size."""
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def called(module: str, attribute: str, *arguments: bytes) -> bytes:
    """What a call gives."""
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


def tensor(key: str, count: int, size: tuple[int, ...], stride: tuple[int, ...], kind: str = "FloatStorage") -> bytes:
    """A tensor of torch.save."""
    storage = b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + integer(count) + b"tQ"
    shape = b"(" + b"".join(map(integer, size)) + b"t"
    steps = b"(" + b"".join(map(integer, stride)) + b"t"
    hooks = called("collections", "OrderedDict")
    return called("torch._utils", "_rebuild_tensor_v2", storage, integer(0), shape, steps, b"\x89", hooks)


def hostile(source: random.Random) -> tuple[bytes, str]:
    """The opcodes of one value, and what it is."""
    count = source.choice((20, 300, 300, 3000, 3000, 3000, 50_000, 200_000))
    large = source.choice((1 << 20, 10**9, 10**10, 1 << 40, 1 << 62, 1 << 70, -1))
    few = tuple(source.choice((0, 1, 3, 10**6, 10**9, 1 << 40, -1)) for _ in range(source.choice((1, 2, 3, 100))))
    steps = tuple(source.choice((0, 0, 1, 10**9, -1)) for _ in few)
    key = source.choice(("state_dict", "model", "module", "tokens", "a.b"))
    made = {
        "holds itself": lambda: b"}q\x00" + text(key) + b"h\x00s",
        "list in itself": lambda: b"]q\x00h\x00a",
        "deep lists": lambda: b"]" * count + b"a" * (count - 1),
        "deep dicts": lambda: b"}" + (text(key)[:5] + key.encode() + b"}") * (count // 20) + b"s" * (count // 20),
        "deep tuples": lambda: b")" + b"\x85" * count,
        "deep key": lambda: b"}" + b")" + b"\x85" * count + b"K\x01s",
        "laughs": lambda: b"]" + b"".join(b"q\x00]h\x00ah\x00a" for _ in range(60)),
        "dict laughs": lambda: b"}" + b"".join(_twice(level) for level in range(40)),
        "byte array": lambda: called("builtins", "bytearray", integer(large)),
        "storage": lambda: b"}" + text(key) + tensor("0", large, few, steps) + b"s",
        "expanded": lambda: b"}" + text(key) + tensor("0", 33, few, tuple(0 for _ in few)) + b"s",
        "other storage": lambda: (
            b"}" + text(key) + tensor(source.choice(("", "0", "7", "../x")), 33, (3,), (1,)) + b"s"
        ),
        "runs": lambda: called(source.choice(("posix", "os")), "mkdir", text(str(CANARY))),
        "evaluates": lambda: called("builtins", "eval", text(f"__import__('os').mkdir({str(CANARY)!r})")),
        "new object": lambda: name("builtins", "open") + b"(" + text(str(CANARY)) + text("w") + b"t\x81",
        "any global": lambda: name(source.choice(_MODULES), source.choice(_NAMES)),
        "long global": lambda: name("torch." + "a" * count, source.choice(("", "b", "b.c" * count))),
        "encodes": lambda: called(
            "_codecs", "encode", text("a\u20ac" * (count // 3)), text(source.choice(("punycode", "idna", "zlib")))
        ),
        "long text": lambda: b"X" + struct.pack("<I", source.choice((1 << 20, 1 << 31, (1 << 32) - 1))) + b"abc",
        "memo": lambda: (
            b"]" + b"".join(b"r" + struct.pack("<I", (index * 7919) % (1 << 32)) for index in range(count // 4))
        ),
        "many": lambda: b"(" + source.choice((b"}", b"]", b")", b"N", b"\x8f")) * count + b"l",
        "many marks": lambda: b"(" * count,
        "new tensor": lambda: called("torch", "Tensor", integer(large)),
        "new storage": lambda: called("torch", source.choice(("UntypedStorage", "FloatStorage")), integer(large)),
        "meta": lambda: called(
            "torch._utils", "_rebuild_meta_tensor_no_storage", name("torch", "float32"), b")", b")", b"\x89"
        ),
        "set": lambda: called(
            "builtins", "set", b"(" + b"".join(integer((1 << 61) * n - n) for n in range(1, count // 9)) + b"l"
        ),
        "keys": lambda: b"}(" + b"".join(integer(((1 << 61) - 1) * n) + b"N" for n in range(1, count // 9)) + b"u",
        "replaced": lambda: (
            called("collections", "OrderedDict") + b"}" + text(source.choice(("items", "get", "values"))) + b"K\x05sb"
        ),
        "set state": lambda: tensor("0", 33, (3,), (1,)) + b")b",
        "no mark": lambda: b"tRs",
    }
    kind = source.choice(list(made))
    return made[kind](), kind


def soup(source: random.Random) -> bytes:
    """Opcodes at random."""
    kinds = (lambda: bytes([source.choice(_OPCODES)]), lambda: source.randbytes(2), lambda: text("model"))
    return b"}" + b"".join(source.choice(kinds)() for _ in range(source.randrange(1, 60)))


def edited(data: bytes, source: random.Random) -> bytes:
    """An honest pickle in which opcodes are dropped, doubled, exchanged or given another argument."""
    pieces = _pieces(data)
    for _ in range(source.choice((1, 1, 2, 5))):
        at = source.randrange(len(pieces))
        what = source.randrange(5)
        if what == 0:
            del pieces[at]
        elif what == 1:
            pieces.insert(at, pieces[source.randrange(len(pieces))])
        elif what == 2:
            other = source.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif what == 3:
            pieces[at] = integer(source.choice((-1, 0, 1, 2, 33, 1000, 10**9, 1 << 62, 1 << 80)))
        else:
            pieces[at] = hostile(source)[0]
        if not pieces:
            break
    return b"".join(pieces)


def _twice(level: int) -> bytes:
    front = b"q" + bytes([level])
    back = b"h" + bytes([level])
    return front + b"}" + b"".join(text(key) + back + b"s" for key in ("state_dict", "model", "module"))


def _pieces(data: bytes) -> list[bytes]:
    places = [place for _, _, place in _positions(data)] + [len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def _positions(data: bytes) -> list[tuple[Any, Any, int]]:
    return [(opcode, argument, place or 0) for opcode, argument, place in pickletools.genops(data)]
