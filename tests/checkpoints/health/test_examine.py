"""Statistics of every tensor are those that plain numpy gives, whatever its dtype, its strides and its place."""

import math
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import Severity
from audioloss_cli.checkpoints.health import TensorStatistics, examine, examined, pieces
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor
from tests.checkpoints.health.stored_arrays import NUMPY, assert_alike, numbers, plain_statistics, stored

DTYPES = sorted(ITEMSIZES)
#: Least and greatest numbers of each class, and both zeros, by their bits.
SPECIAL = {
    "BF16": [0, 0x8000, 1, 0x7F, 0x80, 0x7F7F, 0x7F80, 0xFF80, 0x7F81, 0x7FC0, 0xFFFF, 0x3F80, 0xBF80],
    "F16": [0, 0x8000, 1, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0xFC00, 0x7C01, 0xFFFF, 0x3C00],
    "F32": [0, 1 << 31, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF],
    "F64": [0, 1 << 63, 1, (1 << 52) - 1, 1 << 52, 0x7FEF << 48, 0x7FF << 52, 0xFFF << 52, (0x7FF << 52) + 1],
    "F8_E4M3": [0, 0x80, 1, 7, 8, 0x7E, 0x7F, 0xFF, 0xFE, 0x38],
    "F8_E5M2": [0, 0x80, 1, 3, 4, 0x7B, 0x7C, 0xFC, 0x7D, 0xFF],
}


@pytest.fixture
def small_pieces(monkeypatch):
    """So that values cross the ends of pieces."""
    monkeypatch.setattr(pieces, "PIECE", 64)
    monkeypatch.setattr(pieces, "_SLAB", 256)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tensors")


def only(tensor: StoredTensor, **options: object) -> TensorStatistics:
    report = examine({tensor.name: tensor}, **options)
    assert report.faults == []
    return report.statistics[tensor.name]


def bits_of(dtype: str) -> st.SearchStrategy[bytes]:
    """Any bits, near each other, or special ones."""
    size = ITEMSIZES[dtype]
    kinds = [st.binary(max_size=40 * size), st.binary(min_size=size, max_size=size).map(lambda one: one * 37)]
    if dtype in SPECIAL:
        special = st.sampled_from(SPECIAL[dtype]).map(lambda each: each.to_bytes(size, "little"))
        kinds.append(st.lists(special, max_size=200).map(b"".join))
    return st.one_of(kinds).map(lambda data: data[: len(data) // size * size])


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_bits(dtype, place):
    @given(bits_of(dtype), st.integers(0, 9), st.sampled_from([64, 1 << 20]))
    def holds(data, before, piece):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "PIECE", piece)
            tensor = stored(place / "any", data, dtype, (len(data) // ITEMSIZES[dtype],), before)
            assert_alike(only(tensor), plain_statistics(numbers(data, dtype), dtype))

    holds()


@pytest.mark.parametrize("dtype", sorted(SPECIAL))
def test_every_pair_of_special_values(dtype, place):
    size = ITEMSIZES[dtype]
    for first in SPECIAL[dtype]:
        for second in SPECIAL[dtype]:
            data = first.to_bytes(size, "little") * 3 + second.to_bytes(size, "little")
            found = only(stored(place / "pair", data, dtype, (2, 2)))
            assert_alike(found, plain_statistics(numbers(data, dtype), dtype))


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
def test_all_numbers_of_a_byte(dtype, place):
    data = bytes(range(256))
    found = only(stored(place / "all", data, dtype, (256,)))
    assert_alike(found, plain_statistics(numbers(data, dtype), dtype))


@st.composite
def strided(draw: st.DrawFn, dtype: str) -> tuple[bytes, tuple[int, ...], tuple[int, ...], int]:
    """Bytes, a shape, strides, and the element of the file at which the first one lies."""
    axes = draw(st.integers(0, 4))
    shape = tuple(draw(st.integers(1, 5)) for _ in range(axes))
    strides = list(draw(st.permutations([math.prod(shape[axis + 1 :]) for axis in range(axes)])))
    if draw(st.booleans()):
        strides = [draw(st.integers(0, 9)) for _ in range(axes)]
    start = draw(st.integers(0, 3))
    count = start + 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    size = ITEMSIZES[dtype]
    element = st.binary(min_size=size, max_size=size)
    if dtype in SPECIAL and draw(st.booleans()):
        element = st.sampled_from(SPECIAL[dtype]).map(lambda each: each.to_bytes(size, "little"))
    cells = draw(st.lists(element, min_size=min(count, 7), max_size=min(count, 7)))
    return b"".join(cells[index * 5 % len(cells)] for index in range(count)), shape, tuple(strides), start


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides(dtype, place):
    @given(strided(dtype), st.sampled_from([16, 64, 1 << 20]), st.booleans())
    def holds(drawn, piece, digests):
        data, shape, strides, start = drawn
        size = ITEMSIZES[dtype]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "PIECE", piece)
            patch.setattr(pieces, "_SLAB", piece * 2)
            tensor = stored(place / "strided", data, dtype, shape, strides=strides)
            tensor = replace(tensor, offset=start * size)
            values = numbers(data, dtype)[start:]
            values = np.lib.stride_tricks.as_strided(values, shape, [each * values.itemsize for each in strides])
            assert_alike(only(tensor, digests=digests), plain_statistics(values, dtype))

    holds()


@pytest.mark.usefixtures("small_pieces")
def test_the_first_bad_value_is_that_of_the_shape_not_of_the_file(tmp_path):
    values = np.zeros((30, 40), "<f4")
    values[2, 39] = np.nan  # first in the shape
    values[29, 0] = np.inf  # first in the file, which holds columns
    tensor = stored(tmp_path / "a", values.T.tobytes(), "F32", (30, 40), strides=(1, 30))
    assert only(tensor).first_bad == 2 * 40 + 39


def test_no_values_one_value_and_no_axes(tmp_path):
    assert_alike(only(StoredTensor("a", "F32", (0, 4), tmp_path / "none", 0)), TensorStatistics(0))
    scalar = stored(tmp_path / "scalar", struct.pack("<f", 2.5), "F32", ())
    assert_alike(only(scalar), TensorStatistics(1, lowest=2.5, highest=2.5, norm=2.5, is_constant=True))


def test_an_expanded_tensor_of_any_size_costs_what_is_in_the_file(tmp_path):
    data = struct.pack("<2f", math.nan, 3.0)
    tensor = stored(tmp_path / "a", data, "F32", (10**9, 2, 10**9), strides=(0, 1, 0))
    found = only(tensor)
    assert (found.elements, found.nan, found.first_bad) == (2 * 10**18, 10**18, 0)
    assert found.norm == pytest.approx(3e9)


def test_views_that_ask_for_a_file_again_and_again_are_refused_and_told(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(1 << 20))
    tensors = {f"t{index}": StoredTensor(f"t{index}", "U8", ((1 << 20) - index,), path, index) for index in range(200)}
    tensors["windows"] = StoredTensor("windows", "U8", (1 << 19, 1 << 19), path, 0, strides=(1, 1))
    report = examine(tensors)
    assert 60 <= len(report.statistics) <= 64
    assert len(report.faults) == len(tensors) - len(report.statistics)
    assert {(fault.code, fault.severity) for fault in report.faults} == {("unread-values", Severity.CRITICAL)}


def test_the_same_bytes_are_read_once(tmp_path):
    seen = []
    tensor = stored(tmp_path / "a", bytes(100), "U8", (100,))
    tied = {name: replace(tensor, name=name) for name in ("embed.weight", "head.weight")}
    report = examine(tied, progress=lambda done, total, name: seen.append((done, total, name)))
    assert seen == [(100, 100, "embed.weight")]
    assert report.statistics["embed.weight"] == report.statistics["head.weight"]


def test_compressed_entries(tmp_path):
    values = np.random.default_rng(0).standard_normal((50, 70)).astype("<f8")
    path = tmp_path / "a.npz"
    np.savez_compressed(path, first=values, second=values.T)
    tensors = {
        "first": StoredTensor("first", "F64", (50, 70), path, 128, entry="first.npy"),
        "second": StoredTensor("second", "F64", (70, 50), path, 128, strides=(1, 70), entry="second.npy"),
    }
    report = examine(tensors, rows_of=tensors, digests=True)
    for name, found in report.statistics.items():
        assert_alike(found, plain_statistics(values if name == "first" else values.T, "F64"))


def test_what_cannot_be_read_is_told_beside_what_can(tmp_path):
    good = stored(tmp_path / "good", bytes(8), "F32", (2,))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data", bytes(10**5))
    damaged = bytearray(archive.read_bytes())
    damaged[50] ^= 255
    archive.write_bytes(damaged)
    tensors = {
        "good": good,
        "short": replace(good, name="short", shape=(3,)),
        "gone": replace(good, name="gone", file=tmp_path / "gone"),
        "entry": StoredTensor("entry", "U8", (10**5,), archive, 0, entry="data"),
        "no entry": StoredTensor("no entry", "U8", (1,), archive, 0, entry="nothing"),
        "unknown": replace(good, name="unknown", dtype="F4"),
        "strides": replace(good, name="strides", strides=(-1,)),
    }
    report = examine(tensors)
    assert list(report.statistics) == ["good"]
    told = {name for fault in report.faults for name in fault.evidence["tensors"]}
    assert told == set(tensors) - {"good"}
    unknown = next(fault for fault in report.faults if fault.evidence["tensors"] == ["unknown"])
    assert unknown.severity is Severity.INFO


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_any_number_of_threads_finds_the_same(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 1 << 10)
    monkeypatch.setattr(examined, "_SEGMENT", 1 << 12)
    values = np.random.default_rng(1).standard_normal((7, 3000)).astype("<f4")
    values[3, 1500] = np.nan
    values[5, 7] = np.inf
    path = tmp_path / "a"
    path.write_bytes(values.tobytes())
    tensors = {f"t{row}": StoredTensor(f"t{row}", "F32", (3000,), path, row * 12000) for row in range(7)}
    tensors["all"] = StoredTensor("all", "F32", (7, 3000), path, 0)
    seen = []
    report = examine(tensors, jobs=jobs, progress=lambda done, total, _name: seen.append((done, total)))
    for row in range(7):
        assert_alike(report.statistics[f"t{row}"], plain_statistics(values[row], "F32"))
    assert_alike(report.statistics["all"], plain_statistics(values, "F32"))
    assert seen == sorted(seen)
    assert seen[-1] == (values.nbytes * 2, values.nbytes * 2)


def test_an_error_of_the_progress_ends_all_threads(tmp_path):
    def progress(*_: object) -> None:
        raise KeyboardInterrupt

    tensor = stored(tmp_path / "a", bytes(100), "U8", (100,))
    with pytest.raises(KeyboardInterrupt):
        examine({"a": tensor, "b": replace(tensor, name="b", offset=1, shape=(99,))}, jobs=2, progress=progress)


@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32", "F64", "F8_E4M3", "F8_E5M2"])
def test_quick_finds_nan_infinity_and_zeros(dtype, place):
    @given(bits_of(dtype))
    def holds(data):
        tensor = stored(place / "quick", data, dtype, (len(data) // ITEMSIZES[dtype],))
        found, full = only(tensor, quick=True), only(tensor)
        assert (found.nan, found.infinite, found.first_bad) == (full.nan, full.infinite, full.first_bad)
        assert (found.zero == found.elements) == (full.zero == full.elements)
        assert found.is_constant == (full.zero == full.elements > 0)

    holds()


def test_digests_are_those_of_the_values_in_the_order_of_the_shape(tmp_path):
    values = np.random.default_rng(2).standard_normal((30, 50)).astype("<f4")
    rows = stored(tmp_path / "rows", values.tobytes(), "F32", (30, 50))
    columns = stored(tmp_path / "columns", values.T.tobytes(), "F32", (30, 50), strides=(1, 30))
    changed = values.copy()
    changed[29, 49] = np.nextafter(changed[29, 49], np.float32(9))
    other = stored(tmp_path / "other", changed.tobytes(), "F32", (30, 50))
    digest = only(rows, digests=True).digest
    assert len(digest) == 16
    assert only(columns, digests=True).digest == digest
    assert only(other, digests=True).digest != digest
    assert only(rows).digest == ""


def plain_rows(values: np.ndarray) -> tuple[list[int], list[tuple[int, int]]]:
    dead, twins, first = [], [], dict[bytes, int]()
    for index, row in enumerate(values):
        if not row.any():
            dead.append(index)
        elif row.tobytes() in first:
            twins.append((first[row.tobytes()], index))
        else:
            first[row.tobytes()] = index
    return dead, twins


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.integers(4, 50),
    st.sampled_from(["<f4", "<f2", "<i8"]),
    st.booleans(),
)
def test_dead_rows_and_twins(place, kinds, width, dtype, is_turned):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", 64)
        patch.setattr(pieces, "_SLAB", 256)
        values = (np.arange(5 * width).reshape(5, width) % 7 * np.arange(5)[:, None]).astype(dtype)[kinds]
        values[:, -1] *= -1 if dtype == "<f4" else 1  # a zero with a sign is a zero
        name = next(name for name, each in NUMPY.items() if each == dtype)
        data, strides = values.tobytes(), None
        if is_turned:
            data, strides = values.T.tobytes(), (1, len(values))
        tensor = stored(place / "rows", data, name, values.shape, strides=strides)
        found = only(tensor, rows_of=["a.weight"])
        dead, twins = plain_rows(values)
        assert (list(found.dead_rows), list(found.twin_rows)) == (dead, twins)
        assert (found.dead, found.twins) == (len(dead), len(twins))


def test_rows_are_listed_up_to_a_limit_and_counted_in_all(tmp_path):
    values = np.ones((140_000, 2), "<f4")
    values[:70_000] = 0
    found = only(stored(tmp_path / "a", values.tobytes(), "F32", (140_000, 2)), rows_of=["a.weight"])
    most = 1 << 16
    assert (found.dead, len(found.dead_rows), found.twins, len(found.twin_rows)) == (70_000, most, 69_999, most)


def test_a_tensor_that_lies_in_several_places(tmp_path):
    values = np.random.default_rng(3).standard_normal((6, 50)).astype("<f4")
    values[4, 7] = np.inf
    values[5] = values[0]
    parts = []
    for number, rows in enumerate((slice(0, 1), slice(1, 4), slice(4, 4), slice(4, 6))):
        data = values[rows]
        strides = None if number % 2 else (1, len(data))
        written = data.tobytes() if number % 2 else data.T.tobytes()
        parts.append(stored(tmp_path / f"{number}.distcp", written, "F32", data.shape, number, strides=strides))
    whole = StoredTensor("whole", "F32", (6, 50), parts[0].file, 0, pieces=tuple(parts))
    turned = replace(whole, name="turned", is_in_order=False)
    missing = replace(whole, name="missing", pieces=(*parts[:3], replace(parts[3], file=tmp_path / "gone")))
    report = examine({each.name: each for each in (whole, turned, missing)}, rows_of=["whole", "turned"], jobs=2)
    assert_alike(report.statistics["whole"], plain_statistics(values, "F32"))
    assert report.statistics["whole"].twin_rows == ((0, 5),)
    assert_alike(report.statistics["turned"], replace(plain_statistics(values, "F32"), first_bad=-1))
    assert [fault.evidence["tensors"] for fault in report.faults] == [["missing"]]
    contiguous = stored(tmp_path / "whole", values.tobytes(), "F32", (6, 50))
    assert only(contiguous, digests=True).digest == only(whole, digests=True).digest
