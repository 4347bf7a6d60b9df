"""Compressed logs as they are found: members, padding, metadata frames, very long lines."""

import gzip
import json
import random
import struct

import pytest

from audioloss_cli import registry
from audioloss_cli.storage import compressed, lines
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read
from tests.storage.zstandard import compress

LINES = [json.dumps({"step": step, "loss": step + 0.5}).encode() + b"\n" for step in range(300)]
zstd = compress


def steps(path) -> list[int]:
    series, defects = read(path, "jsonl")
    assert defects == []
    return list(series["loss"].steps)


def skippable(magic: int, size: int) -> bytes:
    """A frame of metadata: RFC 8878, section 3.1.2."""
    return struct.pack("<II", magic, size) + b"m" * size


@pytest.mark.parametrize("size", [0, 4, 5000])
@pytest.mark.parametrize("magic", [0x184D2A50, 0x184D2A57, 0x184D2A5F])
def test_a_zstandard_frame_of_metadata_comes_first(magic, size, tmp_path):
    path = tmp_path / "log.txt.zst"
    path.write_bytes(skippable(magic, size) + zstd(b"".join(LINES)))
    assert registry.load("readers", "jsonl").claims(LogFile(path))
    assert steps(path) == list(range(300))


def test_zstandard_frames_of_metadata_between_others(tmp_path):
    path = tmp_path / "x.jsonl.zst"
    frame = skippable(0x184D2A50, 10)
    path.write_bytes(frame.join([zstd(b"".join(LINES[:100])), zstd(b"".join(LINES[100:])), b""]))
    assert steps(path) == list(range(300))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("zeros", [1, 512, 4096, 10_000])
def test_zeros_behind_the_last_member_are_padding(pack, zeros, tmp_path):
    path = tmp_path / "x.jsonl.any"
    path.write_bytes(pack(b"".join(LINES)) + bytes(zeros))
    assert steps(path) == list(range(300))


@pytest.mark.parametrize("zeros", [0, 1, 5000])
def test_zeros_between_members_are_padding(zeros, tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(bytes(zeros).join(gzip.compress(b"".join(LINES[at : at + 50])) for at in range(0, 300, 50)))
    assert steps(path) == list(range(300))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_members_that_end_anywhere_in_a_chunk(pack, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "_COMPRESSED_CHUNK", chunk)
    path = tmp_path / "x.jsonl.any"
    content = b"".join(LINES)
    path.write_bytes(b"".join(pack(content[at : at + 500]) for at in range(0, len(content), 500)))
    assert steps(path) == list(range(300))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_member_cut_short_before_another_costs_what_follows_and_is_told(pack, tmp_path):
    first = pack(b"".join(LINES[:100]))
    path = tmp_path / "x.jsonl.any"
    path.write_bytes(pack(b"".join(LINES[:50])) + first[:-20] + pack(b"".join(LINES[100:])))
    series, defects = read(path, "jsonl")
    assert list(series["loss"].steps[:50]) == list(range(50))
    assert "compression" in [defect.kind for defect in defects]


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_rubbish_behind_the_last_member_is_told_and_costs_nothing(pack, tmp_path):
    path = tmp_path / "x.jsonl.any"
    path.write_bytes(pack(b"".join(LINES)) + b"rubbish that is no member")
    series, defects = read(path, "jsonl")
    assert list(series["loss"].steps) == list(range(300))
    assert [(defect.kind, defect.offset) for defect in defects] == [("compression", len(b"".join(LINES)))]


def test_an_empty_member_is_no_defect(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    for content in (gzip.compress(b""), zstd(b""), gzip.compress(b"") * 3, skippable(0x184D2A50, 4)):
        path.write_bytes(content)
        assert read(path, "jsonl") == ({}, [])


@pytest.mark.parametrize("pack", [lambda data: gzip.compress(data, 1), zstd])
def test_a_very_long_line_is_not_put_together_piece_by_piece(pack, tmp_path, monkeypatch):
    size = 8 << 20
    row = json.dumps({"step": 2, "loss": 2.5, "junk": random.Random(1).randbytes(size // 2).hex()}).encode() + b"\n"
    path = tmp_path / "x.jsonl.any"
    path.write_bytes(pack(LINES[1] + row + LINES[3]))
    assert path.stat().st_size > 500 * compressed._COMPRESSED_CHUNK  # noise: it comes in very many pieces
    joins = []
    feed = lines._Splitter.feed
    monkeypatch.setattr(lines._Splitter, "feed", lambda self, chunk: joins.append(len(chunk)) or feed(self, chunk))
    assert steps(path) == [1, 2, 3]
    assert sum(joins) == len(LINES[1] + row + LINES[3])
    assert len(joins) <= size // lines._CHUNK + 1


def test_the_place_of_a_defect_is_that_of_the_decompressed_text(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join([*LINES[:40], b"{oops\n"])) + gzip.compress(b"".join(LINES[40:])))
    series, (defect,) = read(path, "jsonl")
    assert len(series["loss"]) == 300
    assert (defect.kind, defect.line, defect.offset) == ("malformed", 41, len(b"".join(LINES[:40])))
