"""Lines that are none: another encoding, NUL bytes, no end."""

import codecs
import gzip
import json

import pytest

from audioloss_cli.storage import compressed, lines
from tests.event_files import read

LINES = [json.dumps({"step": step, "loss": step + 0.5}).encode() for step in range(10)]


def outcome(path, content: bytes):
    path.write_bytes(content)
    series, defects = read(path, "jsonl")
    steps = list(series["loss"].steps) if "loss" in series else []
    return steps, [(defect.kind, defect.line, defect.offset) for defect in defects]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("bom", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
def test_utf16_is_read(bom, encoding, pack, tmp_path):
    """As PowerShell writes it."""
    text = "\r\n".join(line.decode() for line in LINES * 100)
    assert outcome(tmp_path / "x.jsonl", pack(bom + text.encode(encoding))) == (list(range(10)) * 100, [])


def test_a_half_of_a_surrogate_pair_is_told(tmp_path):
    rows = [line.decode() + "\n" for line in LINES]
    rows[4] = rows[4].replace('"loss"', '"\ud800": 1, "loss"')
    content = codecs.BOM_UTF16_LE + "".join(rows).encode("utf-16-le", "surrogatepass")
    assert [place[:2] for place in outcome(tmp_path / "x.jsonl", content)[1]] == [("encoding", 5)]


@pytest.mark.parametrize("bom", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_two_bad_bytes_that_look_like_a_byte_order_mark_cost_no_row(bom, tmp_path):
    found = outcome(tmp_path / "x.jsonl", bom + b"\n".join(LINES) + b"\n")
    assert found == (list(range(10)), [("encoding", 1, 0)])


@pytest.mark.parametrize("index", [0, 5, 10])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_line_of_nul_bytes_is_named(index, newline, tmp_path):
    path = tmp_path / "x.jsonl"
    found = outcome(path, b"".join(line + newline for line in [*LINES[:index], b"\0" * 700, *LINES[index:]]))
    assert found == (list(range(10)), [("malformed", index + 1, sum(len(line + newline) for line in LINES[:index]))])
    assert "NUL bytes, as a crash leaves them" in read(path, "jsonl")[1][0].message


def test_nul_bytes_before_a_row_cost_no_row(tmp_path):
    """A crash leaves them at the end; the run that resumes goes on in the same line."""
    content = b"\n".join(LINES[:4]) + b"\n" + b"\0" * 700 + b"\n".join(LINES[4:]) + b"\n"
    found = outcome(tmp_path / "x.jsonl", content)
    assert found == (list(range(10)), [("malformed", 5, content.index(b"\0"))])


def test_nul_bytes_at_the_end_are_told(tmp_path):
    found = outcome(tmp_path / "x.jsonl", b"\n".join(LINES) + b"\n" + b"\0" * 700)
    assert found == (list(range(10)), [("truncated", 11, len(b"\n".join(LINES)) + 1)])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("index", [0, 5, 9])
def test_a_line_beyond_the_longest_is_skipped_with_its_place(pack, index, tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_CHUNK", 100)
    monkeypatch.setattr(compressed, "_COMPRESSED_CHUNK", 10)
    monkeypatch.setattr(lines, "LONGEST_LINE", 300)
    endless = b'{"step": 99, "loss": 1.0, "junk": "' + b"x" * 5000 + b'"}'
    content = b"\n".join([*LINES[:index], endless, *LINES[index:], b"{oops"]) + b"\n"
    assert outcome(tmp_path / "x.jsonl", pack(content)) == (
        list(range(10)),
        [("malformed", index + 1, len(b"".join(LINES[:index])) + index), ("malformed", 12, content.index(b"{oops"))],
    )


def test_an_endless_last_line_is_skipped_too(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_CHUNK", 100)
    monkeypatch.setattr(lines, "LONGEST_LINE", 300)
    content = b"\n".join(LINES) + b"\n" + b"x" * 5000
    assert outcome(tmp_path / "x.jsonl", content) == (
        list(range(10)),
        [("malformed", 11, len(content) - 5000)],
    )


def test_a_line_as_long_as_the_longest_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_CHUNK", 7)
    monkeypatch.setattr(lines, "LONGEST_LINE", len(LINES[0]))
    assert outcome(tmp_path / "x.jsonl", b"\n".join(LINES)) == (list(range(10)), [])
