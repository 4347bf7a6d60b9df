"""Which files are claimed, damaged ones among them: what nobody claims, nobody audits."""

import gzip
import json

import pytest

from audioloss_cli import registry
from audioloss_cli.storage.log_file import LogFile
from tests.effort import exhaustive
from tests.event_files import read
from tests.storage.zstandard import compress

jsonl_reader = registry.load("readers", "jsonl")
LINES = [json.dumps({"step": step, "loss": step * 0.37}) for step in range(200)]
ROWS = "\n".join(LINES).encode()
CONFIG = json.dumps(dict.fromkeys(map(str, range(200)), 1), indent=2).encode()


def claimed(path, content: bytes) -> bool:
    path.write_bytes(content)
    return jsonl_reader.claims(LogFile(path))


@pytest.mark.parametrize(
    "name",
    [
        "x.jsonl.1",
        "x.jsonl.23",
        "x.jsonl.1.gz",
        "x.jsonl.gz.1",
        "UPPER.JSONL",
        "Mixed.NdJson.GZ",
        "a.b.jsonl",
        "x.1.jsonl",
    ],
)
def test_rotated_compressed_and_capital_names(name, tmp_path):
    assert claimed(tmp_path / name, ROWS)


@pytest.mark.parametrize("name", ["x.jsonl.bak", "x.jsonl.1a", "jsonl.1", "x.1"])
def test_names_that_only_look_like_it(name, tmp_path):
    assert not claimed(tmp_path / name, ROWS)


@pytest.mark.parametrize("name", ["train.log.1", "TRAIN.LOG", "train.txt.2.gz", "m.json.zst", "x.gz", "jsonl"])
def test_names_that_must_be_looked_into(name, tmp_path):
    pack = {".gz": gzip.compress, ".zst": compress}.get((tmp_path / name).suffix, bytes)
    assert claimed(tmp_path / name, pack(ROWS))
    assert not claimed(tmp_path / name, pack(CONFIG))


@pytest.mark.parametrize("first", ["{oops", "\0" * 80, "starting ...", "\ufffd", "[1]", LINES[0][:-9]])
def test_damage_in_the_first_line_disclaims_no_log(first, tmp_path):
    path = tmp_path / "log.txt"
    assert claimed(path, "\n".join([first, *LINES]).encode())
    series, defects = read(path, "jsonl")
    assert (len(series["loss"]), [defect.line for defect in defects]) == (200, [1])


def test_half_of_the_lines_must_be_rows_at_the_start_or_all_over(tmp_path):
    assert claimed(tmp_path / "log.txt", "\n".join([*LINES[:5], *["text"] * 90]).encode())
    assert claimed(tmp_path / "log.txt", "\n".join([*["text"] * 90, *LINES]).encode())
    assert not claimed(tmp_path / "log.txt", "\n".join([*["text"] * 6, *LINES[:4]]).encode())


@pytest.mark.parametrize("name", ["metrics.json", "train.log", "metrics.json.gz", "log.txt"])
@pytest.mark.parametrize("damage", [b"\xff\xfe\xfd" * 200, b"\0" * 4096, b'{"step": 0, "lo', b"x\n" * 100])
def test_a_log_with_a_damaged_head_is_not_skipped(name, damage, tmp_path, audioloss):
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack(damage + b"\n" + ROWS))
    done = audioloss("scan", tmp_path)
    assert done.code != 0
    assert "1 defect in 1 series" in done.out


def test_blank_lines_do_not_count(tmp_path):
    assert claimed(tmp_path / "log.txt", b"\n \n" * 50 + ROWS)


def test_one_row_does_not_convince(tmp_path):
    assert not claimed(tmp_path / "log.txt", LINES[0].encode() + b"\n")


@pytest.mark.parametrize("name", ["metrics.json.gz", *exhaustive("log.txt.gz")])
def test_a_compressed_log_is_claimed_wherever_it_breaks_off(name, tmp_path):
    packed = gzip.compress(ROWS)
    for end in range(3, len(packed)):
        assert claimed(tmp_path / name, packed[:end]), f"cut after {end} bytes"


PACKS = {"gzip": gzip.compress, "zstandard": compress}


@pytest.mark.parametrize(
    ("kind", "at"), [("gzip", 3), ("gzip", 14), ("gzip", 600), ("gzip", -2), ("zstandard", 14), ("zstandard", -2)]
)
def test_a_compressed_log_with_damage_is_claimed_and_told(kind, at, tmp_path):
    packed = bytearray(PACKS[kind](ROWS))
    packed[at] ^= 0xFF
    path = tmp_path / "metrics.json.gz"
    assert claimed(path, bytes(packed))
    assert "compression" in [defect.kind for defect in read(path, "jsonl")[1]]


def test_a_healthy_compressed_config_is_not_claimed(tmp_path):
    for content in (CONFIG, b"{}", b"", b'{"a": 1}\n'):
        assert not claimed(tmp_path / "config.json.gz", gzip.compress(content))


def test_a_file_that_is_not_there_cannot_be_looked_into(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        jsonl_reader.claims(LogFile(tmp_path / "nowhere.json"))
