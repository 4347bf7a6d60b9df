"""Archives of numpy: where arrays lie, and every way in which one can lie."""

import io
import zipfile

import numpy as np
import pytest

from audioloss_cli.checkpoints.formats import read_file
from audioloss_cli.checkpoints.stored import StoredFile
from audioloss_cli.model import Severity


@pytest.fixture
def read(tmp_path):
    def read(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> StoredFile:
        path = tmp_path / "weights.npz"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, data in entries.items():
                archive.writestr(name, data)
        return read_file(path)

    return read


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_arrays_lie_where_they_are_said_to_lie(tmp_path):
    path = tmp_path / "weights.npz"
    arrays = {
        "layer/weight": np.arange(12, dtype="<f4").reshape(3, 4),
        "bias": np.arange(5, dtype="<i8"),
        "s": np.float16(2),
    }
    np.savez(path, **arrays)
    stored, data = read_file(path), path.read_bytes()
    assert stored.faults == []
    for name, array in arrays.items():
        tensor = stored.tensors[name]
        assert (tensor.shape, tensor.entry, tensor.strides) == (array.shape, "", None)
        assert data[tensor.offset : tensor.offset + tensor.nbytes] == array.tobytes()


def test_a_compressed_array_is_named_by_its_entry(tmp_path):
    path, array = tmp_path / "weights.npz", np.arange(12, dtype="<f8").reshape(3, 4)
    np.savez_compressed(path, x=array)
    tensor = read_file(path).tensors["x"]
    with zipfile.ZipFile(path) as archive:
        assert archive.read(tensor.entry)[tensor.offset :] == array.tobytes()


def test_an_array_of_columns_has_strides(read):
    tensor = read({"x.npy": npy(np.asfortranarray(np.zeros((3, 4, 5))))}).tensors["x"]
    assert (tensor.shape, tensor.strides) == ((3, 4, 5), (1, 3, 12))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("f2", "F16"), ("f8", "F64"), ("c8", "C64"), ("i1", "I8"), ("u2", "U16"), ("u8", "U64"), ("?", "BOOL")],
)
def test_it_knows_the_dtypes_of_numpy(read, kind, dtype):
    tensor = read({"x.npy": npy(np.zeros((2, 3), kind))}).tensors["x"]
    assert (tensor.dtype, tensor.nbytes) == (dtype, 6 * np.dtype(kind).itemsize)


def test_a_dtype_that_is_not_known_keeps_its_name(read):
    stored = read({"x.npy": npy(np.zeros(3, ">f4"))})
    assert (stored.tensors["x"].dtype, stored.faults) == (">f4", [])


def test_objects_are_pickles_and_are_not_looked_into(read):
    stored = read({"x.npy": npy(np.array([{}, []], dtype=object)), "y.npy": npy(np.zeros(3))})
    assert set(stored.tensors) == {"y"}
    assert [(fault.code, fault.severity) for fault in stored.faults] == [("damaged-file", Severity.WARNING)]
    assert "x" in stored.faults[0].message


HEADER = b"\x93NUMPY\x01\x00"
DAMAGED = {
    "text": b"hello, world, this is no array",
    "nothing": b"",
    "a header of 60,000 bytes": HEADER + (60_000).to_bytes(2, "little") + b" " * 60_000,
    "a header that is code": HEADER
    + (60).to_bytes(2, "little")
    + b"{'descr': __import__('os').system('id')}".ljust(60),
    "fewer bytes than its shape": npy(np.zeros((3, 4)))[:-8],
    "more bytes than its shape": npy(np.zeros((3, 4))) + bytes(8),
    "10^12 elements": npy(np.zeros((3, 4))).replace(b"(3, 4), }            ", b"(1000000, 1000000), }"),
    "10^1000 elements": HEADER
    + (1500).to_bytes(2, "little")
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1"
    + b"0" * 1000
    + b",)}".ljust(448),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_an_entry_that_is_damaged_is_told_beside_the_others(read, what):
    stored = read({"bad.npy": DAMAGED[what], "good.npy": npy(np.zeros(3))})
    assert set(stored.tensors) == {"good"}
    assert [fault.code for fault in stored.faults] == ["damaged-file"]
    assert "bad" in stored.faults[0].message


def test_an_archive_that_is_cut_short(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, x=np.zeros(1000))
    whole = path.read_bytes()
    for count in (0, 3, 100, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:count])
        stored = read_file(path)
        assert [fault.code for fault in stored.faults] == ["damaged-file"], count
        assert not stored.tensors


def test_entries_that_overlap(tmp_path):
    """One megabyte of zeros, entered a hundred times, is a hundred megabytes in a file of a few."""
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(np.zeros(10)))
        archive.writestr("y.npy", npy(np.zeros(10)))
        archive.filelist[1].header_offset = archive.filelist[0].header_offset
    stored = read_file(path)
    assert [fault.code for fault in stored.faults] == ["damaged-file"]
    assert "reaches into" in stored.faults[0].message


def test_an_entry_that_begins_behind_the_end_of_the_file(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez_compressed(path, x=np.zeros(10))
    data = bytearray(path.read_bytes())
    data[28:30] = (60_000).to_bytes(2, "little")  # of what stands between the name and the bytes
    path.write_bytes(data)
    stored = read_file(path)
    assert [fault.code for fault in stored.faults] == ["damaged-file"]
    assert "x (it is cut short)" in stored.faults[0].message


def test_two_arrays_of_one_name(tmp_path):
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(np.zeros(3)))
        archive.writestr("y.npy", npy(np.ones(3)))
    path.write_bytes(path.read_bytes().replace(b"y.npy", b"x.npy"))
    assert [fault.code for fault in read_file(path).faults] == ["duplicate-tensor"]
