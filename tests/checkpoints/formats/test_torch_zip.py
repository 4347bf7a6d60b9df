"""Archives of torch.save, made by hand: tensors and their places, and what is wrong with an archive."""

import random
import struct
import zlib

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.formats import read_file, torch_zip
from audioloss_cli.checkpoints.zips import checksum_faults
from tests.checkpoints.torch_files import FLOATS, state, zipped
from tests.fuzz.checkpoints import archives
from tests.fuzz.checkpoints.pickles import called, name, tensor, text, whole

ENTRIES = {"w/data.pkl": whole(state()), "w/data/0": FLOATS, "w/version": b"3\n"}


@pytest.fixture
def read(tmp_path):
    def of(data: bytes):
        (path := tmp_path / "model.pt").write_bytes(data)
        return read_file(path)

    return of


def values(path, tensor) -> tuple[float, ...]:
    return struct.unpack_from(f"<{tensor.elements}f", path.read_bytes(), tensor.offset)


def strange(kind: str) -> bytes:
    made = (archives.strange(ENTRIES, random.Random(seed)) for seed in range(500))
    return next(data for data, found in made if found == kind)


def test_a_tensor_is_found_with_its_bytes(read):
    file = read(zipped(state()))
    found = file.tensors["weight"]
    assert (found.dtype, found.shape, found.strides, found.storage, found.entry) == ("F32", (4,), None, "", "")
    assert values(file.path, found) == (1.0, 2.0, 3.0, 4.0)
    assert (file.format, file.faults) == ("torch_zip", [])
    assert file.imports == ["collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2"]


def test_names_are_the_keys_on_the_way_and_the_value_keeps_its_structure(read):
    inner = (
        b"}" + text("a") + tensor("0", 4, (2, 2), (1, 2)) + b"s" + text("b") + b"]" + tensor("0", 4, (4,), (1,)) + b"as"
    )
    file = read(zipped(b"}" + text("state_dict") + inner + b"s" + text("step") + b"K\x07s"))
    assert {key: (each.strides, each.storage) for key, each in file.tensors.items()} == {
        "state_dict.a": ((1, 2), "0"),
        "state_dict.b.0": (None, "0"),
    }
    assert file.value["step"] == 7
    assert file.value["state_dict"]["a"] is file.tensors["state_dict.a"]
    assert file.value["state_dict"]["b"] == [file.tensors["state_dict.b.0"]]


def test_two_tensors_of_one_name_are_both_kept(read):
    inner = b"}" + text("b") + tensor("0", 4, (4,), (1,)) + b"s"
    file = read(zipped(b"}" + text("a") + inner + b"s" + text("a.b") + tensor("0", 4, (2,), (1,)) + b"s"))
    assert {key: each.shape for key, each in file.tensors.items()} == {"a.b": (4,), "a.b#2": (2,)}


def test_a_compressed_archive_is_read_by_its_entries(read):
    file = read(strange("deflated"))
    assert file.tensors["weight"].entry == "w/data/0"
    ((severity, message),) = [(fault.severity, fault.message) for fault in file.faults]
    assert severity is Severity.WARNING
    assert "is compressed, which torch.save never does" in message
    assert checksum_faults(file.path) == []


CRITICAL = {
    "reaches into what follows it": lambda: strange("quine"),
    "is encrypted": lambda: strange("encrypted"),
    "which is not tried": lambda: strange("bomb"),
    "another size than its pickle says: 0 (16 bytes, 32 said)": lambda: zipped(state(count=8)),
    "1 of its storages are missing, such as '7'": lambda: zipped(state(key="7")),
    "reaches out of its storage": lambda: zipped(state(size=(5,))),
    "the table of contents at its end is missing": lambda: zipped(state())[:-60],
    "there is no data.pkl in it": lambda: archives.stored({"w/other": b"x"}),
    "of the meta device": lambda: zipped(
        called("torch._utils", "_rebuild_meta_tensor_no_storage", name("torch", "half"), b")", b")", b"\x89")
    ),
}  # fmt: skip
WARNING = {
    "something stands before or behind the archive": lambda: zipped(state()) + b"more",
    "two of its entries go by one name": lambda: archives.archive([*entries(ENTRIES), *entries({"w/VERSION": b"3\n"})]),
    "is a TorchScript archive": lambda: archives.stored({**ENTRIES, "w/constants.pkl": b"N."}),
    "something follows the pickle": lambda: archives.stored({**ENTRIES, "w/data.pkl": ENTRIES["w/data.pkl"] + b"N."}),
    "of the other byte order": lambda: zipped(state(), **{"w/byteorder": b"big"}),
}


def entries(contents: dict[str, bytes]) -> list[dict[str, object]]:
    plain = {"method": 0, "flags": 0, "packed": None, "offset": None}
    return [
        {"name": key, "data": data, "size": len(data), "crc": zlib.crc32(data), **plain}
        for key, data in contents.items()
    ]


@pytest.mark.parametrize(
    ("words", "severity"), [*((each, "critical") for each in CRITICAL), *((each, "warning") for each in WARNING)]
)
def test_what_is_wrong_is_told_with_the_name_of_the_file(words, severity, read):
    file = read({**CRITICAL, **WARNING}[words]())
    told = [fault.message for fault in file.faults if fault.severity.value == severity]
    assert any(words in message and str(file.path) in message for message in told), file.faults


def test_values_of_the_other_byte_order_are_not_read(read):
    assert read(zipped(state(), **{"w/byteorder": b"big"})).tensors["weight"].nbytes == 0


def test_what_an_interrupted_save_leaves_still_says_what_it_imports(read):
    assert "torch._utils._rebuild_tensor_v2" in read(zipped(state())[:-200]).imports


@pytest.mark.parametrize("at", [-1, 0, 5])
def test_a_flipped_byte_is_found_by_its_checksum(at, tmp_path):
    data = bytearray(zipped(state()))
    place = data.index(FLOATS) + at % len(FLOATS)
    (path := tmp_path / "a.pt").write_bytes(data)
    seen: list[tuple[int, int, str]] = []
    assert checksum_faults(path, lambda *each: seen.append(each)) == []
    assert seen[-1][0] == seen[-1][1] > len(FLOATS)
    data[place] ^= 1
    path.write_bytes(data)
    ((code, severity, message, evidence),) = checksum_faults(path)
    assert (code, severity, evidence) == ("damaged-file", Severity.CRITICAL, {"entries": ["w/data/0"]})
    assert "the bytes of w/data/0 have changed" in message


def test_archives_without_checksums_and_other_files_pass(tmp_path):
    (path := tmp_path / "a.pt").write_bytes(archives.archive([{**each, "crc": 0} for each in entries(ENTRIES)]))
    assert checksum_faults(path) == []
    path.write_bytes(b"no archive")
    assert checksum_faults(path) == []


def test_archives_of_arrays_are_left_to_numpy(tmp_path):
    assert not torch_zip.claims(archives.stored({"a.npy": b"x"}), tmp_path / "a.bin")
    assert not torch_zip.claims(b"PK\x03\x04", tmp_path / "a.npz")
    assert torch_zip.claims(b"PK\x03\x04", tmp_path / "a.pt")
