"""Event files as they arrive: compressed, gone through a copy in text mode, damaged in a thousand places."""

import gzip
import json
import subprocess
import sys

import pytest

from audioloss_cli import scan
from audioloss_cli.model import Cursor, ReadOptions
from audioloss_cli.readers import tensorboard
from audioloss_cli.storage.log_file import LogFile
from tests.effort import exhaustive
from tests.event_files import read, records, scalar_event, version_event
from tests.readers.bits import in_bits

TAG = "train/audio_loss"


def log(count: int, tag: str = TAG) -> list[bytes]:
    return records([version_event(), *(scalar_event(step, {tag: 2 + step / 1024}) for step in range(count))])


@pytest.mark.parametrize("name", ["events.out.tfevents.1", "events.out.tfevents.1.gz"])
@pytest.mark.parametrize("count", [3, 100, 5000])
def test_a_compressed_file_is_read_as_what_was_compressed(name, count, tmp_path):
    plain, packed = tmp_path / "plain.tfevents", tmp_path / "run" / name
    packed.parent.mkdir()
    plain.write_bytes(b"".join(log(count)))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert tensorboard.claims(LogFile(packed))
    assert in_bits(tensorboard.read(packed)) == in_bits(tensorboard.read(plain))
    assert in_bits(tensorboard.read(packed, ReadOptions(mark=True))) == in_bits(tensorboard.read(plain)), (
        "there is no mark"
    )
    for items in tensorboard.read_many((path, ReadOptions(arrays=True)) for path in (plain, packed, plain)):
        assert in_bits(items) == in_bits(tensorboard.read(plain))
    assert [item.points for item in scan(packed).runs[0].series] == [count]


def test_several_members_are_one_file(tmp_path):
    parts = log(300)
    path = tmp_path / "x.tfevents"
    path.write_bytes(gzip.compress(b"".join(parts[:100])[:-7]) + gzip.compress(b"".join(parts[:100])[-7:]))
    assert (len(read(path)[0][TAG]), read(path)[1]) == (99, [])


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.999])
def test_a_compressed_file_that_breaks_off_is_read_up_to_there(kept, tmp_path):
    data = gzip.compress(b"".join(log(3000)))
    path = tmp_path / "x.tfevents.gz"
    path.write_bytes(data[: int(len(data) * kept)])
    series, defects = read(path)
    assert 0 < len(series[TAG]) <= 3000
    assert list(series[TAG].steps) == list(range(len(series[TAG])))
    assert [defect.kind for defect in defects] == ["compression"]
    assert "ends before its end mark" in defects[0].message
    assert scan(path).exit_code == 3


def test_a_compressed_file_that_is_damaged_is_read_up_to_there(tmp_path):
    data = bytearray(gzip.compress(b"".join(log(3000))))
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "x.tfevents.gz"
    path.write_bytes(data)
    series, defects = read(path)
    assert len(series[TAG]) > 500
    assert "compression" in [defect.kind for defect in defects]


def test_a_header_that_looks_like_that_of_a_compressed_stream_is_believed(tmp_path):
    """A first record of 559,903 bytes begins as gzip does."""
    event = scalar_event(1, {TAG: 2.5, "x" * 559_900: 1.0})
    event.summary.value[1].tag = event.summary.value[1].tag[: 0x88B1F - len(event.SerializeToString())]
    data = b"".join([*records([event]), *log(3)])
    assert data.startswith(b"\x1f\x8b\x08")
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    assert (list(read(path)[0][TAG].steps), read(path)[1]) == ([1, 0, 1, 2], [])


@pytest.mark.parametrize("filling", [bytes(1 << 20), *exhaustive(records([scalar_event(9, {TAG: 2.5})])[0] * 15_000)])
def test_a_bomb_is_read_as_far_as_a_log_may_grow(filling, tmp_path):
    path = tmp_path / "x.tfevents.gz"
    with gzip.open(path, "wb") as stream:
        for piece in [b"".join(log(50)), *[filling] * 40]:
            stream.write(piece)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2)\n"
        f"import sys; from audioloss_cli import cli; sys.exit(cli.execute(['scan', {str(path)!r}, '--report', 'json']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode in (1, 3), done.stderr) == (True, "")
    (run,) = json.loads(done.stdout)["runs"]
    assert [defect["kind"] for defect in run["defects"]][-1] == "compression"
    assert "as no log does" in run["defects"][-1]["message"]
    assert 50 <= len(read(path)[0][TAG]) < 1_000_000


@pytest.mark.parametrize("tag", [TAG, "loss"])
@pytest.mark.parametrize(
    ("old", "new", "story"), [(b"\n", b"\r\n", r"\n became \r\n"), (b"\r\n", b"\n", r"\r\n became")]
)
def test_a_copy_in_text_mode_is_one_defect_that_says_so(tag, old, new, story, tmp_path):
    data = b"".join(log(800, tag))
    copied = data.replace(old, new)
    path = tmp_path / "x.tfevents"
    path.write_bytes(copied)
    _, defects = read(path)
    if copied == data:
        assert (tag, old, defects) == (TAG, b"\r\n", [])  # nothing was lost
        return
    assert [defect.kind for defect in defects] == ["encoding"]
    assert story in defects[0].message
    assert "copy the log again, in binary mode" in defects[0].message
    assert defects[0].offset == len(log(0)[0])
    assert scan(path).exit_code == 3


def test_what_a_copy_in_text_mode_left_in_one_piece_is_read(tmp_path):
    parts = log(40, "loss")
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(parts[:20]).replace(b"\r\n", b"\n") + b"".join(parts[20:]))
    series, defects = read(path)
    assert list(series["loss"].steps) == list(range(19, 40))
    assert [defect.kind for defect in defects] == ["encoding"]


def test_carriage_returns_alone_are_no_copy_in_text_mode(tmp_path):
    parts = log(30)
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join([*parts[:9], b"\r\n\r\n", parts[9][:-4] + b"\r\n\r\n", *parts[10:]]))
    series, defects = read(path)
    assert len(series[TAG]) == 29
    assert {defect.kind for defect in defects} <= {"framing", "checksum"}


def test_many_defects_of_a_kind_are_one_with_their_number(tmp_path):
    parts = log(900)
    damaged = [bytes([*part[:20], part[20] ^ 1, *part[21:]]) if n % 2 else part for n, part in enumerate(parts)]
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(damaged) + parts[1][:20])
    series, defects = read(path)
    assert len(series[TAG]) == 450
    assert [defect.kind for defect in defects] == ["checksum", "truncated"]
    assert defects[0].offset == len(parts[0])
    assert f"449 more of this kind follow, the last at byte {len(b''.join(parts[:899]))}" in defects[0].message


def test_defects_that_are_few_are_told_one_by_one(tmp_path):
    parts = log(60)
    damaged = [bytes([*part[:20], part[20] ^ 1, *part[21:]]) if n % 5 == 1 else part for n, part in enumerate(parts)]
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(damaged))
    places = [len(b"".join(parts[:number])) for number in range(1, len(parts), 5)]
    assert [(defect.kind, defect.offset) for defect in read(path)[1]] == [("checksum", place) for place in places]


def test_a_plain_file_has_a_mark_and_a_damaged_one_has_none(tmp_path):
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(log(9)))
    assert isinstance(list(tensorboard.read(path, ReadOptions(mark=True)))[-1], Cursor)
    path.write_bytes(b"".join(log(9, "loss")).replace(b"\r\n", b"\n"))
    assert not any(isinstance(item, Cursor) for item in tensorboard.read(path, ReadOptions(mark=True)))
