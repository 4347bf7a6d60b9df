"""Lengths that cannot be believed: what is intact around them is read, in bounded memory, each byte a few times."""

import random
import struct
import subprocess
import sys

import pytest
from google_crc32c import value as crc32c

from audioloss_cli.readers.tensorboard import buffer, framing
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.checksums import Checksums
from audioloss_cli.readers.tensorboard.framing import masked_crc
from tests import event_messages as event_pb2
from tests.event_files import read, records, scalar_event

TAG = "train/audio_loss"
MEMORY_BYTES = 400 << 20  # of a process with its imports; a byte more of data would be 6 GB


def header(length: int) -> bytes:
    """One whose own checksum is right."""
    raw = struct.pack("<Q", length)
    return raw + struct.pack("<I", masked_crc(raw))


def points(start: int, count: int) -> list[bytes]:
    return records(scalar_event(step, {TAG: 2 + step / 64}) for step in range(start, start + count))


def write(path, *pieces: bytes | int):
    """Bytes one after the other; a number is a hole of so many."""
    with path.open("wb") as stream:
        for piece in pieces:
            if isinstance(piece, int):
                stream.seek(piece, 1)
            else:
                stream.write(piece)
        stream.truncate(stream.tell())
    return path


def scan_in_little_memory(path) -> subprocess.CompletedProcess[str]:
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES},) * 2)\n"
        f"import sys; from audioloss_cli import cli; sys.exit(cli.execute({['scan', str(path)]!r}))"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "rest",
    [
        [b"", *points(2, 1)],
        [6 << 30, bytes(4), *points(2, 1)],
        [*points(2, 1), 7 << 30],
        [b"\x0a" * 5000, *points(2, 1)],
    ],
    ids=["a lie", "a hole of that size", "a hole behind", "a lie before noise"],
)
def test_six_gigabytes_that_a_header_claims_are_not_believed(rest, tmp_path):
    path = write(tmp_path / "x.tfevents", *points(0, 2), header(6 << 30), *rest)
    done = scan_in_little_memory(path)
    assert (done.returncode, done.stderr) == (3, "")
    series, defects = read(path)
    assert list(series[TAG].steps) == [0, 1, 2]
    assert defects[0].kind == "framing"
    assert defects[0].offset == sum(map(len, points(0, 2)))


def test_a_record_of_the_bound_is_read_and_one_beyond_it_is_a_defect(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "LARGEST_BYTES", 5000)
    small, large = (scalar_event(7, {TAG: 2.5, "x" * size: 1.0}) for size in (4900, 5000))
    path = write(tmp_path / "x.tfevents", *records([small, large, scalar_event(8, {TAG: 2.5})]))
    series, defects = read(path)
    assert list(series[TAG].steps) == [7, 8]
    assert [(defect.kind, defect.offset) for defect in defects] == [("framing", len(records([small])[0]))]
    assert "more than the" in defects[0].message


def test_a_damaged_blob_that_another_length_reaches_over_ends_nothing(tmp_path):
    """It is judged without being read, and the search behind it must move on all the same."""
    blob = event_pb2.Event(wall_time=1.0, step=1)
    blob.summary.value.add(tag="audio").audio.encoded_audio_string = bytes(70_000)
    (record,) = records([blob])
    lies = [header(80_000), b"\x09"] * 4
    path = write(tmp_path / "x.tfevents", *lies, record[:500], b"!", record[500:], *points(0, 300))
    assert scan_in_little_memory(path).returncode == 3
    assert list(read(path)[0][TAG].steps) == list(range(300))


class Counted(SlidingBuffer):
    """Counts the bytes that are handed out."""

    count = 0

    def peek(self, size, after=0):
        found = super().peek(size, after)
        Counted.count += len(found)
        return found


@pytest.mark.parametrize(
    "claim",
    [
        lambda number: 900_000 + number,  # beyond the end of most, and each to another place
        lambda number: 400_000 + number % 7,
        lambda number: 700_000 - 350 * number,  # all end at one place
    ],
    ids=["beyond the end", "inside", "at one end"],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_thousands_of_headers_that_claim_the_same_bytes_are_read_in_linear_time(claim, trusted, tmp_path, monkeypatch):
    """By the bytes that are looked at; a clock would tell of the machine."""
    monkeypatch.setattr("audioloss_cli.readers.tensorboard.reading.SlidingBuffer", Counted)
    noise, parts = random.Random(1), []
    for number in range(2000):
        lie = header(claim(number)) if trusted else struct.pack("<QI", max(claim(number), 0), 0)
        parts += [lie, b"\x09" + noise.randbytes(321), *(points(number, 1) if number % 100 == 0 or not trusted else [])]
    path = write(tmp_path / "x.tfevents", *parts)
    Counted.count = 0
    series, defects = read(path)
    assert list(series[TAG].steps) == list(range(0, 2000, 100 if trusted else 1))
    assert len(defects) <= 3
    assert Counted.count < 40 * path.stat().st_size


def test_checksums_of_stretches_are_those_of_their_bytes(tmp_path):
    noise = random.Random(3)
    data = noise.randbytes(200_000)
    path = write(tmp_path / "x", data)
    with path.open("rb") as stream:
        checksums = Checksums(SlidingBuffer(stream))
        for start in sorted(noise.randrange(len(data)) for _ in range(300)):
            end = min(start + noise.choice([0, 1, 1023, 1024, 5000, 150_000]), len(data))
            assert checksums.of(start, end) == crc32c(data[start:end])


def test_records_inside_of_a_length_that_ends_at_another_header_by_chance_are_read(tmp_path):
    inside = [b"\x09" + bytes(100), *points(3, 5), bytes(50)]
    lie = header(sum(map(len, inside)) - 4)
    path = write(tmp_path / "x.tfevents", *points(0, 3), lie, *inside, *points(8, 2))
    series, defects = read(path)
    assert list(series[TAG].steps) == list(range(10))
    assert {defect.kind for defect in defects} == {"checksum", "framing"}


@pytest.mark.parametrize("first", [5, 12, 13, 40, 400])
def test_a_file_is_judged_by_what_it_held_when_it_was_opened(first, tmp_path, monkeypatch):
    """A run appends while it is scanned, in two writes; the second one comes between two reads."""
    whole, appended = b"".join(points(0, 50)), b"".join(points(50, 20))
    path = write(tmp_path / "x.tfevents", whole, appended[:first])
    load, written = SlidingBuffer._load, []

    def load_and_append(self, size):
        load(self, size)
        if not written:
            with path.open("ab") as stream:
                written.append(stream.write(appended[first:]))

    monkeypatch.setattr(SlidingBuffer, "_load", load_and_append)
    series, defects = read(path)
    assert written
    complete = sum(1 for number in range(20) if len(b"".join(points(50, number + 1))) <= first)
    assert len(series[TAG]) == 50 + complete
    assert [(defect.kind, "still writing" in defect.message) for defect in defects] == [("truncated", True)]
    monkeypatch.undo()
    assert (len(read(path)[0][TAG]), read(path)[1]) == (70, [])


def test_a_file_that_grows_at_every_read_comes_to_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(buffer, "_CHUNKS", (64, 64))
    path = write(tmp_path / "x.tfevents", *points(0, 50))
    load = SlidingBuffer._load

    def load_and_append(self, size):
        load(self, size)
        with path.open("ab") as stream:
            stream.write(b"".join(points(1000, 3)))

    monkeypatch.setattr(SlidingBuffer, "_load", load_and_append)
    series, defects = read(path)
    assert (list(series[TAG].steps), defects) == (list(range(50)), [])
