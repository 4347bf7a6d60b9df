"""The walker beside the unpickler of CPython: the same plain values, and every import that this one would ask for."""

import argparse
import collections
import contextlib
import datetime
import io
import pathlib
import pickle
import random
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli import Severity
from audioloss_cli.checkpoints.pickles import Call, Cut, Global, OddKey, PickleContents, read_pickle_stream
from audioloss_cli.checkpoints.pickles.opcodes import operations
from tests.effort import examples, exhaustive
from tests.fuzz.checkpoints.pickles import called, edited, hostile, name, soup, text, whole

PROTOCOLS = range(6)


def walked(data: bytes) -> PickleContents:
    return read_pickle_stream(io.BytesIO(data), "x.pt")


def told(data: bytes) -> list[tuple[str, Severity, str]]:
    return [(fault.code, fault.severity, fault.message) for fault in walked(data).faults]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(-(1 << 59), 1 << 59), inner)
    ),
)


@settings(max_examples=examples(400))
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_are_those_that_were_pickled(value, protocol):
    contents = walked(pickle.dumps(value, protocol))
    assert contents.faults == []
    assert contents.imports in ([], ["_codecs.encode"], ["_codecs.encode", "builtins.bytes"], ["builtins.bytes"])
    if protocol > 2:  # before, empty bytes are a call of bytes
        assert contents.value == value


class Point:
    def __init__(self) -> None:
        self.x, self.me = 1, self


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "imports"),
    [
        (argparse.Namespace(a=1), "argparse.Namespace"),
        (pathlib.PurePosixPath("a/b"), "pathlib.PurePosixPath"),
        (collections.OrderedDict(a=1), "collections.OrderedDict"),
        (collections.Counter("aab"), "collections.Counter"),
        (datetime.timedelta(1), "datetime.timedelta"),
        (Point(), f"{__name__}.Point"),
        (eval, "builtins.eval"),
    ],
)
def test_objects_are_named_and_not_made(value, imports, protocol):
    contents = walked(pickle.dumps(value, protocol))
    assert imports in contents.imports
    assert contents.faults == []


def test_attributes_of_objects_are_read():
    contents = walked(pickle.dumps(argparse.Namespace(rate=0.5, steps=[1, 2])))
    assert isinstance(contents.value, Call)
    assert contents.value.attributes() == {"rate": 0.5, "steps": [1, 2]}


def test_what_holds_itself_becomes_a_tree():
    ring: list[Any] = [1]
    ring.append({"ring": ring})
    value = walked(pickle.dumps(ring)).value
    assert value[0] == 1
    assert isinstance(value[1]["ring"], Cut)
    inner = walked(pickle.dumps(Point())).value
    assert isinstance(inner.attributes()["me"], Cut)


class Recorder(pickle.Unpickler):
    """Imports nothing, and remembers what it was asked for; whatever is called gives something that takes anything."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.asked: list[str] = []

    def find_class(self, module: str, attribute: str) -> Any:
        module, attribute = NAME_MAPPING.get((module, attribute), (IMPORT_MAPPING.get(module, module), attribute))
        self.asked.append(f"{module[:400]}.{attribute[:400]}")
        return Anything

    def persistent_load(self, _: Any) -> Any:
        return Anything()


class Anything:
    def __new__(cls, *_: Any, **__: Any) -> "Anything":
        return object.__new__(cls)

    def __call__(self, *_: Any) -> "Anything":
        return self

    def append(self, _: Any) -> None: ...
    def extend(self, _: Any) -> None: ...
    def add(self, _: Any) -> None: ...
    def __setitem__(self, _: Any, __: Any) -> None: ...
    def __setstate__(self, _: Any) -> None: ...


def recorded(data: bytes) -> list[str]:
    recorder = Recorder(data)
    with contextlib.suppress(Exception):  # whatever ends it, it has asked for what came before
        recorder.load()
    return recorder.asked


def takes_memory(data: bytes) -> bool:
    """Whether the real unpickler makes a memo as long as the largest number in it says."""
    with contextlib.suppress(ValueError):
        return any("PUT" in each and argument > 1 << 16 for each, argument in operations(io.BytesIO(data)))
    return False


HONEST = [
    pickle.dumps(each, protocol) for each in (argparse.Namespace(a=[1, {2: "x"}]), Point()) for protocol in PROTOCOLS
]


def odd(source: random.Random) -> bytes:
    """A pickle that no program writes."""
    kind = source.randrange(4)
    if kind == 0:
        return whole(soup(source))
    if kind == 1:
        return whole(soup(source) + name("os", "system") + soup(source) + called("nt", "system", text("x")))
    if kind == 2:
        return edited(source.choice(HONEST), source)
    return whole(hostile(source)[0] + b"0" + called("posix", "system", text("x")))


@pytest.mark.parametrize("block", [0, *exhaustive(*range(1, 40))])
def test_every_import_of_the_real_unpickler_is_listed(block):
    """No opcode must hide what comes after it."""
    counted = 0
    for number in range(500):
        data = odd(random.Random(f"{block}:{number}"))
        if len(data) < 1 << 16 and not takes_memory(data):
            asked = {each for each in recorded(data) if each != "builtins.getattr"}
            counted += len(asked)
            hides = any("hides" in message for _, _, message in told(data))
            assert hides or asked <= {*walked(data).imports}, (number, data[:300])
    assert counted > 200


SYSTEM = called("os", "system", text("x"))
HIDDEN = {
    "string that is not ASCII": b"S'\xc3\xa9'\n0",
    "number with a prefix": b"I0x10\n0",
    "number with underscores": b"L1_0L\n0",
    "float before a zero byte": b"F1.0\0rest\n0",
    "octal number": b"I010\n0",
    "escape that is none": b"S'\\q'\n0",
    "append to a byte array": b"\x96" + struct.pack("<Q", 1) + b"x(K\x01e0",
    "set item of a list": b"]K\x00K\x01s0",
    "attributes of a tuple": b")}b0",
    "long text name": b"X" + struct.pack("<I", 5) + b"\xed\xa0\x80ab0",
    "frame that is too long": b"\x95" + struct.pack("<Q", 1 << 40),
    "key that is no key": b"}]K\x01s0",
    "extension": b"\x82\x01" + b"0",
    "reference to elsewhere": b"Pelsewhere\n0",
    "not a tuple of arguments": name("x", "y") + b"]R0",
}


@pytest.mark.parametrize("what", HIDDEN)
def test_nothing_that_the_real_unpickler_may_take_hides_what_follows(what):
    assert "os.system" in walked(b"\x80\x04" + HIDDEN[what] + SYSTEM + b".").imports


def test_a_name_across_the_end_of_a_frame_is_critical():
    """The unpickler in C reads ``os`` of it."""
    split = b"\x80\x04\x95" + struct.pack("<Q", 6) + b"cnumpyos\nsystem\n."
    assert recorded(split) == ["os.system"]
    assert ("unsafe-pickle", Severity.CRITICAL) in [each[:2] for each in told(split)]


def test_names_that_are_computed_are_critical():
    encoded = called("_codecs", "decode", b"C\x02os", text("ascii"))
    data = b"\x80\x04" + encoded + text("system") + b"\x93" + b"(" + text("x") + b"tR."
    assert any(severity is Severity.CRITICAL and "computes" in message for _, severity, message in told(data))


def test_members_of_an_enum_are_named_and_getattr_is_not():
    """Python 3.11.0 to 3.11.3 pickles them so; training_args.bin is full of them."""
    member = called("builtins", "getattr", name("transformers.trainer_utils", "IntervalStrategy"), text("NO"))
    assert walked(whole(b"}" + text("a") + member + b"s")).imports == [
        "transformers.trainer_utils.IntervalStrategy",
        "transformers.trainer_utils.IntervalStrategy.NO",
    ]


@pytest.mark.parametrize(
    "data",
    [
        called("builtins", "getattr", called("a", "b"), text("system")),
        b"]" + name("builtins", "getattr") + b"a",
        called("builtins", "map", name("builtins", "getattr"), b"]"),
        name("builtins", "getattr") + b"K\x01\x85\x81",
        name("builtins", "getattr"),
    ],
)
def test_any_other_use_of_getattr_is_listed(data):
    assert "builtins.getattr" in walked(whole(data)).imports


def test_attributes_of_modules_are_followed_by_name():
    inner = called("builtins", "getattr", name("torch", "serialization"), text("os"))
    data = name("builtins", "getattr") + b"(" + inner + text("system") + b"tR" + b"(" + text("x") + b"tR"
    assert "torch.serialization.os.system" in walked(whole(data)).imports


def test_pickles_inside_of_pickles_are_told_and_not_followed():
    data = whole(called("pickle", "loads", b"C\x02N."))
    assert [message for _, _, message in told(data)] == [
        "x.pt calls pickle.loads on what it holds: a pickle in the pickle, which is not followed"
    ]


@pytest.mark.parametrize(
    ("key", "kind"),
    [(b"]", OddKey), (b"\x8a\x09" + bytes(8) + b"\x01", OddKey), (called("a", "B"), Call), (b"K\x01K\x02\x86", tuple)],
)
def test_keys_are_plain_or_equal_to_themselves_alone(key, kind):
    (found,) = walked(whole(b"}" + key + b"K\x07s")).value
    assert type(found) is kind


def test_large_numbers_are_not_kept():
    value = walked(pickle.dumps(1 << 100_000)).value
    assert (value.name, value.arguments) == ("builtins.int", (100_001,))


def test_globals_are_values():
    assert walked(pickle.dumps(eval)).value == Global("builtins.eval")


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04", b"garbage", b"\x80\x04R.", b"h\x00.", b"(", b"X\xff\xff\xff\xffab."]
)
def test_what_is_damaged_is_told(data):
    ((code, severity, message),) = told(data)
    assert (code, severity) == ("damaged-file", Severity.CRITICAL)
    assert message.startswith("x.pt is damaged, or no pickle")


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x80\x02", b"\x80\x04\x95"]))
def test_no_bytes_raise(data, front):
    walked(front + data)
