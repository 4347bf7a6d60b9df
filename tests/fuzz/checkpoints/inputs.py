"""One input: a layout, one of its files, and what is done to it."""

import json
import pickle
import pickletools
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np

from tests.fuzz._run import Case
from tests.fuzz.checkpoints import archives, mutations, pickles
from tests.fuzz.checkpoints.layouts import PARTNER, Layout, chosen

_EXPRESSIONS = (
    "9**9**9**9",
    "1<<(10**12)",
    "Float('1e1000000000')",
    "Float('1', 1000000000)",
    "Integer(9)**Integer(9)**Integer(99)",
    "Pow(Integer(10), Pow(Integer(10), Integer(10)))",
    "LShift(Integer(1), Integer(1000000000000))",
    "((9**64)**64)**64",
    "Max(" + ",".join(f"Symbol('s{n}')" for n in range(2000)) + ")",
    "Symbol('s77', positive=True, integer=True)" + "+1" * 900,
    "__import__('os').mkdir('x')",
    "Symbol('s77').__class__",
    "(" * 300 + "1" + ")" * 300,
    "Mod(Integer(7), Integer(0))",
    "PowByNatural(Symbol('s77'), Symbol('s77'))",
    "Rational(1, 0)",
    "Float('" + "9" * 5000 + "')",
    "Integer('" + "9" * 3000 + "')",
)


@dataclass(frozen=True)
class Made:
    """What the judge has to know.

    Attributes:
        layout: its name.
        same: whether whatever can be read must have the healthy values.
        whole: whether the model is run, rather than loaded alone.
        broken: whether it must not be read at all.
    """

    layout: str
    same: bool
    whole: bool
    broken: bool = False


def make(layouts: dict[str, Layout], source: random.Random) -> Case:
    """An input; the same for the same source."""
    name = chosen(layouts, source)
    layout = layouts[name]
    files = [each for each in layout.files if each != PARTNER]
    file = source.choice([*files, *(each for each in files if each.endswith(".json"))])
    data = layout.files[file]
    others = [other.files[each] for other in layouts.values() for each in other.files if other.weight > 2]
    content, made, by_bytes = _content(file, data, source, others)
    whole = source.random() < (0.02 if layout.weight > 2 else 0.3)
    cut = by_bytes and made == "cut" and not file.endswith((".json", ".arrow"))
    truth = Made(name, layout.checked and by_bytes, whole, broken=cut and len(content) < len(data))
    return Case(f"{name}/{file}", content, truth, f"{file} of {name}: {made}")


def _content(file: str, data: bytes, source: random.Random, others: list[bytes]) -> tuple[bytes, str, bool]:
    """The bytes, what was done, and whether it was done to the bytes alone, so that checksums show it."""
    suffix = PurePosixPath(file).suffix
    if source.random() < 0.6:
        return *_STRUCTURED.get(suffix, _odd_zip)(data, source), False
    return *mutations.damaged(data, source, others), True


def _odd_tensors(data: bytes, source: random.Random) -> tuple[bytes, str]:
    (length,) = struct.unpack_from("<Q", data)
    header, made = mutations.odd_json(data[8 : 8 + length], source)
    said = len(header) if source.random() < 0.95 else source.choice((0, 1, len(data), 1 << 27, (1 << 64) - 1))
    return struct.pack("<Q", said) + header + data[8 + length :], made


def _odd_pickle(honest: bytes, source: random.Random) -> tuple[bytes, str]:
    kind = source.randrange(4)
    if kind == 0:
        return pickles.whole(pickles.soup(source)), "opcodes at random"
    if kind == 1:
        return pickles.edited(honest, source), "edited pickle"
    value, made = pickles.hostile(source)
    wrapped = b"}" + pickles.text(source.choice(("state_dict", "tokens", "x"))) + value + b"s"
    return pickles.whole(wrapped if kind == 2 else value), made


def _odd_zip(data: bytes, source: random.Random) -> tuple[bytes, str]:
    entries = archives.contents(data)
    if source.random() < 0.3:
        return archives.strange(entries, source)
    name = next(each for each in entries if each.endswith("data.pkl"))
    if source.random() < 0.1:
        other = source.choice(list(entries))
        entries[other], made = mutations.damaged(entries[other], source, [b"big", b"1", b"x" * 99])
    else:
        entries[name], made = _odd_pickle(entries[name], source)
    return archives.stored(entries), made


def _odd_legacy(data: bytes, source: random.Random) -> tuple[bytes, str]:
    ends = [0]
    for _ in range(5):
        ends.append(ends[-1] + 1 + max(place or 0 for _, _, place in pickletools.genops(data[ends[-1] :])))
    pieces = [data[start:end] for start, end in pairwise(ends)]
    if source.random() < 0.1:
        return pickle.dumps({"a": [1.5] * source.randrange(99)}, source.randrange(6)), "bare pickle"
    at = source.choice((0, 1, 2, 3, 3, 3, 3, 3, 4))
    pieces[at], made = _odd_pickle(pieces[at], source)
    return b"".join(pieces) + data[ends[-1] :], made


def _odd_arrays(data: bytes, source: random.Random) -> tuple[bytes, str]:
    entries = archives.contents(data)
    if source.random() < 0.4:
        return archives.strange(entries, source)
    name = source.choice(list(entries))
    if source.random() < 0.3:
        kinds = (
            np.zeros((2, 7, 3), "<c16"),
            np.zeros(3, "<U1"),
            np.array([1 << 63], "<u8"),
            np.zeros((1, 0)),
            np.array(3),
        )
        entries[name], made = archives.array(source.choice(kinds)), "another array"
    else:
        entries[name], made = archives.odd_array(source, pickles.whole(pickles.hostile(source)[0]))
    return archives.stored(entries), made


def _odd_program(data: bytes, source: random.Random) -> tuple[bytes, str]:
    entries = archives.contents(data)
    if source.random() < 0.2:
        return archives.strange(entries, source)
    texts = [name for name in entries if name.endswith(".json")]
    inner = next(name for name in entries if name.endswith(".pt"))
    name = source.choice((*texts, *texts, inner))
    if name == inner:
        entries[name], made = _odd_zip(entries[name], source)
    elif source.random() < 0.4:
        name = next(each for each in texts if each.endswith("model.json"))
        entries[name], made = _with_expression(entries[name], source), "expression"
    else:
        entries[name], made = mutations.odd_json(entries[name], source)
    return archives.stored(entries), made


def _with_expression(text: bytes, source: random.Random) -> bytes:
    """The document with another expression in one or all places."""
    found, new = json.loads(text), source.choice(_EXPRESSIONS)
    everywhere = source.random() < 0.5

    def change(value: object) -> None:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            if isinstance(item, dict) and "expr_str" in item and (everywhere or source.random() < 0.3):
                item["expr_str"] = new
            change(item)

    change(found)
    return json.dumps(found).encode()


_STRUCTURED: dict[str, Callable[[bytes, random.Random], tuple[bytes, str]]] = {
    ".json": mutations.odd_json,
    ".safetensors": _odd_tensors,
    ".pth": _odd_legacy,
    ".npz": _odd_arrays,
    ".pt2": _odd_program,
    ".arrow": lambda data, source: mutations.damaged(data, source, [data]),
}
