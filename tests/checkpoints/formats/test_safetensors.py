"""Headers of safetensors: what healthy ones say, and every way in which one can lie."""

import json
import struct

import pytest

from audioloss_cli.checkpoints.formats import read_file
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredFile, StoredTensor
from audioloss_cli.model import Severity
from tests.checkpoints.build import Raw, header_of, safetensors_bytes, with_header

TWO = {"a": Raw("F32", (2, 3), bytes(range(24))), "b": Raw("BF16", (4,))}
HEADER = header_of(TWO)


def faults(stored: StoredFile) -> list[str]:
    return [fault.code for fault in stored.faults]


@pytest.fixture
def read(tmp_path):
    def read(data: bytes, name: str = "model.safetensors") -> StoredFile:
        path = tmp_path / name
        path.write_bytes(data)
        return read_file(path)

    return read


def test_tensors_lie_where_the_header_says(read):
    data = safetensors_bytes(TWO, {"format": "pt"})
    stored = read(data)
    start = len(data) - 32
    assert stored.tensors == {
        "a": StoredTensor("a", "F32", (2, 3), stored.path, start),
        "b": StoredTensor("b", "BF16", (4,), stored.path, start + 24),
    }
    assert data[stored.tensors["a"].offset :][:24] == bytes(range(24))
    assert (stored.format, stored.metadata, stored.value, stored.faults) == ("safetensors", {"format": "pt"}, None, [])


@pytest.mark.parametrize("dtype", ITEMSIZES)
def test_it_knows_every_dtype(read, dtype):
    stored = read(safetensors_bytes({"x": Raw(dtype, (3, 5))}))
    assert stored.faults == []
    assert stored.tensors["x"].nbytes == 15 * ITEMSIZES[dtype]


def test_a_file_is_known_by_its_first_bytes_whatever_it_is_called(read):
    assert set(read(safetensors_bytes(TWO), "model.bin").tensors) == {"a", "b"}


@pytest.mark.parametrize(
    "tensors",
    [{}, {"x": Raw("F32", ())}, {"x": Raw("F32", (0, 7))}, {"x": Raw("F32", (0,)), "y": Raw("I8", (0, 0))}],
    ids=["none", "a scalar", "an empty one", "empty ones"],
)
def test_odd_and_healthy(read, tensors):
    stored = read(safetensors_bytes(tensors))
    assert stored.faults == []
    assert set(stored.tensors) == set(tensors)


def test_the_header_may_be_padded_and_in_any_order(read):
    text = json.dumps(dict(reversed(HEADER.items()))) + " " * 7
    assert read(with_header(text, bytes(32))).faults == []


def test_a_dtype_that_is_not_known_keeps_its_name(read):
    stored = read(with_header({"x": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}, bytes(2)))
    assert (stored.tensors["x"].dtype, stored.tensors["x"].nbytes, stored.faults) == ("F4", 0, [])


def changed(name: str = "b", **more: object) -> dict[str, object]:
    return {**HEADER, name: {**HEADER[name], **more}}


DAMAGED = {
    "nothing": (b"", "is empty"),
    "three bytes": (b"abc", "ends after 3 bytes"),
    "a length beyond the file": (struct.pack("<Q", 1000) + b"{}", "cut short"),
    "a length beyond the limit": (struct.pack("<Q", 1 << 40) + b"{}", "more than the 100,000,000"),
    "no object": (with_header("[1, 2]"), "does not begin with {"),
    "no JSON": (with_header('{"a": '), "no JSON"),
    "no UTF-8": (struct.pack("<Q", 8) + b'{"\xff": 1}', "no JSON"),
    "text behind the object": (with_header("{} {}"), "no JSON"),
    "a deep nest": (with_header('{"a": ' + "[" * 100_000), "no JSON"),
    "a very long number": (with_header('{"a": ' + "1" * 5000 + "}"), "no JSON"),
    "three million values": (with_header('{"a": [' + "1," * 3_000_000 + "1]}"), "more than any model"),
    "bytes behind the last tensor": (with_header(HEADER, bytes(35)), "3 bytes behind the last tensor"),
    "a missing byte": (with_header(HEADER, bytes(31)), "cut short: 1 byte is missing, and 1 tensor of 2"),
    "no bytes at all": (with_header(HEADER), "cut short: 32 bytes are missing, and 2 tensors of 2"),
    "two tensors in one place": (
        with_header(changed(data_offsets=[16, 24]), bytes(24)),
        "1 of 2 tensors upon another one: b",
    ),
    "a gap": (with_header(changed(data_offsets=[26, 34]), bytes(34)), "2 before b"),
    "a shape that needs more": (with_header(changed(shape=[5]), bytes(32)), "has 8 bytes, and its shape [5] of BF16"),
    "10^12 elements": (with_header(changed(shape=[10**6, 10**6]), bytes(32)), "needs 2,000,000,000,000"),
    "10^1000 elements": (with_header(changed(shape=[10**9] * 60), bytes(32)), "claims more than any file has"),
    "10^12 elements of an unknown dtype": (
        with_header(changed(dtype="F4", shape=[10**12]), bytes(32)),
        "fewer than its shape",
    ),
    "10^400 beside an axis of none": (
        with_header(changed(shape=[0, 10**400], data_offsets=[24, 24]), bytes(24)),
        "claims",
    ),
    "an offset of 10^30": (with_header(changed(data_offsets=[24, 10**30]), bytes(32)), "claims more than any file"),
    "an end before its begin": (with_header(changed(data_offsets=[32, 24]), bytes(32)), "ends before it begins"),
    "an axis below zero": (with_header(changed(shape=[-4]), bytes(32)), "has no shape"),
    "an axis of true": (with_header(changed(shape=[True, 4]), bytes(32)), "has no shape"),
    "a hundred axes": (with_header(changed(shape=[1] * 100), bytes(32)), "has no shape"),
    "offsets of floats": (with_header(changed(data_offsets=[24.0, 32.0]), bytes(32)), "no data_offsets"),
    "three offsets": (with_header(changed(data_offsets=[24, 28, 32]), bytes(32)), "no data_offsets"),
    "no dtype": (with_header(changed(dtype=None), bytes(32)), "has no dtype"),
    "an entry of text": (with_header({**HEADER, "c": "x"}, bytes(32)), "c has no dtype"),
    "metadata of numbers": (with_header({"__metadata__": {"step": 5}, **HEADER}, bytes(32)), "more than strings"),
    "metadata of text": (with_header({"__metadata__": "step", **HEADER}, bytes(32)), "more than strings"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_damaged_is_told_with_the_place(read, what):
    data, words = DAMAGED[what]
    stored = read(data)
    assert faults(stored) == ["damaged-file"]
    assert stored.faults[0].severity is Severity.CRITICAL
    assert str(stored.path) in stored.faults[0].message
    assert words in stored.faults[0].message
    assert len(stored.faults[0].message) < 1000


def test_tensors_of_a_file_that_is_cut_short_are_read_as_far_as_they_are_there(read):
    stored = read(with_header(HEADER, bytes(30)))
    assert set(stored.tensors) == {"a"}
    assert "b" in stored.faults[0].message


def test_names_that_the_json_module_would_hide_are_found(read):
    a, b = json.dumps(HEADER["a"]), json.dumps(HEADER["b"])
    stored = read(with_header(f'{{"a": {a}, "b": {b}, "a": {a}}}', bytes(32)))
    assert faults(stored) == ["duplicate-tensor"]
    assert stored.faults[0].evidence["names"] == ["a"]
    within = f'{{"a": {a}, "b": {{"dtype": "F32", "dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}}}}'
    assert faults(read(with_header(within, bytes(32)))) == ["duplicate-tensor"]
