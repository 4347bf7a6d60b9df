"""Files of torch.save before 1.6, and bare pickles, made by hand."""

import pickle
import struct

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.formats import read_file
from tests.checkpoints.torch_files import FLOATS, legacy, state
from tests.fuzz.checkpoints.pickles import called, text


@pytest.fixture
def read(tmp_path):
    def of(data: bytes):
        (path := tmp_path / "model.pth").write_bytes(data)
        return read_file(path)

    return of


def test_storages_behind_the_pickles_are_found(read):
    file = read(legacy(state("a", "b")))
    assert (file.format, file.faults, list(file.tensors)) == ("torch_legacy", [], ["a", "b"])
    found = file.tensors["b"]
    assert struct.unpack_from("<4f", file.path.read_bytes(), found.offset) == (1.0, 2.0, 3.0, 4.0)
    assert found.storage == "0"
    assert file.value["b"] is found


@pytest.mark.parametrize(
    ("data", "severity", "words"),
    [
        (b"", "critical", "is empty"),
        (legacy(state())[:-1], "critical", "is cut short: its storages claim more bytes than follow"),
        (legacy(state())[:100], "critical", "is damaged, or no pickle"),
        (legacy(state(), elements=3), "critical", "its storage '0' has another size"),
        (legacy(state(key="7")), "critical", "its list of storages is not that of its tensors"),
        (legacy(state()) + b"more", "warning", "4 bytes follow its last storage"),
        (pickle.dumps([1]) + b"more", "warning", "4 bytes follow its 1. pickle"),
    ],
)
def test_what_is_wrong_is_told(data, severity, words, read):
    file = read(data)
    assert any(words in fault.message and fault.severity.value == severity for fault in file.faults), file.faults


def test_all_pickles_of_a_file_are_walked(read):
    file = read(pickle.dumps({"a": 1}) + pickle.dumps([2]) + b"\x80\x02" + called("os", "system", text("x")) + b".")
    assert (file.value, file.imports, file.faults) == ({"a": 1}, ["os.system"], [])


def test_values_of_the_other_byte_order_are_not_read(read):
    data = legacy(state()).replace(pickle.dumps({"little_endian": True}, 2), pickle.dumps({"little_endian": False}, 2))
    file = read(data)
    assert file.tensors["weight"].nbytes == 0
    assert [fault.severity for fault in file.faults] == [Severity.WARNING]
    assert FLOATS in data
