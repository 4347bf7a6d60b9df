"""The lines of a file in every wrapping: compressed, damaged, UTF-16, too long."""

import codecs
import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.model import Defect
from audioloss_cli.storage import lines
from audioloss_cli.storage.lines import Line, lines_of
from tests.storage.zstandard import compress, compress_long

LINES = [f"step {step}: loss {step / 3:.5f} " + chr(97 + step % 26) * (step % 40) for step in range(3000)]
TEXT = "".join(line + "\n" for line in LINES).encode()
PACKS = {"gzip": gzip.compress, "zstd": compress}
packs = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)


def found(path: Path, content: bytes, **how: int) -> tuple[list[Line], list[Defect]]:
    path.write_bytes(content)
    items = list(lines_of(path, **how))
    return [item for item in items if isinstance(item, Line)], [item for item in items if isinstance(item, Defect)]


def texts(got: list[Line]) -> list[str]:
    return [line.data.decode() for line in got]


@pytest.mark.parametrize("pack", [bytes, *PACKS.values()], ids=["plain", *PACKS])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-16-be with a mark"]
)
def test_every_line_with_its_number_whatever_it_is_wrapped_in(pack, newline, encoding, tmp_path):
    text = newline.join([*LINES, "größer 😀 µ"])
    mark = codecs.BOM_UTF16_BE if encoding.endswith("mark") else b""
    got, defects = found(tmp_path / "x", pack(mark + text.encode(encoding.split()[0])))
    assert defects == []
    assert texts(got) == text.split(newline)
    assert [line.number for line in got] == list(range(1, len(got) + 1))
    assert [line.ended for line in got] == [True] * len(LINES) + [False]


def test_the_offset_is_that_in_the_file_where_it_is_plain(tmp_path):
    content = codecs.BOM_UTF8 + TEXT
    for line in found(tmp_path / "x", content)[0]:
        assert content[line.offset :].startswith(line.data + b"\n")


@pytest.mark.parametrize("pack", [bytes, *PACKS.values()], ids=["plain", *PACKS])
@pytest.mark.parametrize("at", [0, 1500, 3000])
def test_a_line_that_is_too_long_is_told_and_skipped(pack, at, tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_CHUNK", 100)
    rows = [*LINES[:at], "x" * 5000, *LINES[at:]]
    got, (defect,) = found(tmp_path / "x", pack("\n".join(rows).encode()), longest=300)
    assert texts(got) == LINES
    assert (defect.kind, defect.line) == ("malformed", at + 1)
    assert "longer than 300 bytes" in defect.message
    assert defect.offset == len("\n".join(rows[:at])) + bool(at)


def test_a_wrong_checksum_costs_no_line(tmp_path):
    whole = compress(TEXT, checksum=True)
    got, (defect,) = found(tmp_path / "x", whole[:-1] + bytes([whole[-1] ^ 1]))
    assert texts(got) == LINES
    assert defect.kind == "compression"
    whole = gzip.compress(TEXT)
    got, (defect,) = found(tmp_path / "x", whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
    assert texts(got) == LINES
    assert defect.kind == "compression"


@packs
@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_what_was_decoded_before_the_damage_counts(pack, at, tmp_path):
    text = b"%s\n" % b"\n".join(b"%r" % number for number in random.Random(1).choices(range(10**9), k=100_000))
    whole = pack(text)
    got, defects = found(tmp_path / "x", whole[: int(at * len(whole))])
    assert [defect.kind for defect in defects] == ["compression"]
    size = sum(len(line.data) + line.ended for line in got)
    assert abs(size - at * len(text)) < 150_000  # a block of Zstandard is 128 KiB
    assert text.startswith(b"\n".join(line.data for line in got))


@packs
@pytest.mark.parametrize("damage", ["flipped", "cut", "removed", "checksum"])
@pytest.mark.parametrize("at", [30, 300, -20])
def test_members_behind_a_damaged_one_are_read(pack, damage, at, tmp_path):
    members = [pack("".join(line + "\n" for line in LINES[at : at + 1000]).encode()) for at in (0, 1000, 2000)]
    middle = members[1]
    at %= len(middle)
    members[1] = {
        "flipped": middle[:at] + bytes([middle[at] ^ 0x55, middle[at + 1] ^ 0x55]) + middle[at + 2 :],
        "cut": middle[:at],
        "removed": middle[:at] + middle[at + 5 :],
        "checksum": middle[:-5] + bytes([middle[-5] ^ 1]) + middle[-4:],
    }[damage]
    got, defects = found(tmp_path / "x", b"".join(members))
    assert {defect.kind for defect in defects} == {"compression"}
    assert len(defects) == 1
    assert texts(got)[:1000] == LINES[:1000]
    assert texts(got)[-1000:] == LINES[2000:]


def test_a_half_of_a_line_behind_damage_is_left_out(tmp_path):
    """Of "1234,0.5" no "34,0.5" must be read: where members end inside lines, the first piece behind is no line."""
    parts = [TEXT[:20_005], TEXT[20_005:40_003], TEXT[40_003:60_007], TEXT[60_007:]]
    members = [gzip.compress(part) for part in parts]
    members[1] = members[1][:400] + b"\xff\xff\xff\xff" + members[1][404:]
    got, _ = found(tmp_path / "x", b"".join(members))
    behind = parts[2].split(b"\n", 1)[1] + parts[3]
    assert "".join(f"{line}\n" for line in texts(got)).endswith("\n" + behind.decode())
    assert parts[2].split(b"\n", 1)[0] not in [line.data for line in got]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(sorted(PACKS)), at=st.integers(0, 10**6), lost=st.integers(0, 9), noise=st.binary(max_size=9)
)
def test_damage_anywhere_is_told_and_costs_one_member_at_most(kind, at, lost, noise, tmp_path):
    members = [PACKS[kind]("".join(line + "\n" for line in LINES[at : at + 100]).encode()) for at in (0, 100, 200)]
    whole = b"".join(members)
    at %= len(whole)
    broken = whole[:at] + noise + whole[at + lost :]
    if at < 4 or broken == whole:
        return  # without its magic bytes it is no compressed file
    got, defects = found(tmp_path / "x", broken)
    hit = sum(at >= len(b"".join(members[: count + 1])) for count in range(3))
    last = sum(at + max(lost, 1) > len(b"".join(members[:count])) for count in range(3))
    expected = [line for index in range(3) if index < hit or index >= last for line in LINES[100 * index :][:100]]
    assert set(expected) <= {line.data.decode(errors="replace") for line in got}
    assert defects or set(texts(got)) == set(LINES[:300])


def test_a_frame_that_is_shorter_than_it_says_is_damaged(tmp_path):
    """The library looks at that in one call alone, not piece by piece: 45 bytes are promised, and none is there."""
    got, (defect,) = found(tmp_path / "x", bytes.fromhex("28b52ffd242d01000099e9d851"))
    assert (got, defect.kind) == ([], "compression")


def test_a_window_as_long_as_zstd_can_make_it_is_no_damage(tmp_path):
    got, defects = found(tmp_path / "x", compress_long(TEXT))
    assert (texts(got), defects) == (LINES, [])


@packs
@pytest.mark.exhaustive
def test_a_bomb_takes_little_memory_and_ends(pack, tmp_path):
    """1 MB that expand to gigabytes of nothing."""
    block = pack(b"\n" * (64 << 20))
    path = tmp_path / "bomb"
    path.write_bytes(block * max(1, (1 << 20) // len(block)))
    code = (
        "import sys, resource, pathlib; from audioloss_cli.storage.lines import LineReader;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "list(1 for block in LineReader(pathlib.Path(sys.argv[1])));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run([sys.executable, "-c", code, path], timeout=60, check=True, capture_output=True)
    assert int(told.stdout) < 100 << 10
