"""Damaged event files: ``python -m tests.fuzz.event_files [--seconds N] [--seed N] [--inputs N]``.

Each point has a value of its own: it can be told of every point that comes out whether it went in, and of every record
that is still there in one piece whether it came out. Beside that: the ways of reading agree, damage that shows is a
defect, a file without damage has none, and neither time nor memory runs away.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np  # noqa: F401  # imported, arrays are worth it for small files

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.readers import tensorboard
from audioloss_cli.readers.tensorboard import paths
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.framing import BLOB_BYTES, Framing, masked_crc
from audioloss_cli.readers.tensorboard.scalars import Scalars
from tests.fuzz._damage import cut, delete, flip, insert, zeros
from tests.fuzz._run import Case, Target, main
from tests.readers.bits import in_bits

TAGS = ("train/audio_loss", "loss", "lr", "eval/audio_loss", "t" * 150)
Point = tuple[str, int, bytes]


class Truth(NamedTuple):
    """What went into a file.

    Attributes:
        points: tag, step, and the bits of the value as float32, of every record.
        there: those of records that are still in one piece.
        shows: whether anything is wrong that the format can show.
        healthy: whether nothing is wrong.
    """

    points: frozenset[Point]
    there: frozenset[Point]
    shows: bool
    healthy: bool = False


class Part(NamedTuple):
    """One record and its points."""

    data: bytes
    points: tuple[Point, ...]


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked_crc(length)) + payload + struct.pack("<I", masked_crc(payload))


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def delimited(key: int, content: bytes) -> bytes:
    return bytes([key << 3 | 2]) + varint(len(content)) + content


def parts_of(source: Random, count: int) -> list[Part]:
    """A version, then mostly points; now and then something else."""
    found, value, step = [Part(record(b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a\x0dbrain.Event:2"), ())], 0, 0
    tags, step = source.sample(TAGS, source.randint(1, 3)), source.choice([0, 1, 100, 16_000, 2**33])
    for _ in range(count):
        head = b"\x09" + struct.pack("<d", 1.7e9 + step) + (b"\x10" + varint(step) if step else b"")
        kind = source.random()
        if kind < 0.03:
            blob = delimited(
                source.choice([4, 6]), delimited(4, source.randbytes(source.choice([40] * 9 + [3000, 70_000])))
            )
            found.append(Part(record(head + delimited(5, delimited(1, delimited(1, b"blob") + blob))), ()))
        elif kind < 0.05:
            text = b"\x08\x07" + delimited(8, source.randbytes(20))
            found.append(
                Part(record(head + delimited(5, delimited(1, delimited(1, b"text") + delimited(8, text)))), ())
            )
        else:
            points, values = list[Point](), b""
            for tag in tags if kind < 0.2 else [source.choice(tags)]:
                value += 1
                bits = struct.pack("<f", 1 + value / 64)
                points.append((tag, step, bits))
                tensor = kind < 0.3
                number = delimited(8, b"\x08\x01" + delimited(4, bits)) if tensor else b"\x15" + bits
                values += delimited(1, delimited(1, tag.encode()) + number)
            found.append(Part(record(head + delimited(5, values)), tuple(points)))
        step += source.choice([1, 1, 1, 10])
    return found


def lies(source: Random, data: bytes) -> bytes:
    """Headers whose own checksum is right and whose length is not, between records or anywhere."""
    for _ in range(source.choice([1, 1, 3, 20])):
        length = source.choice([source.randrange(500), len(data), 60 << 20, 6 << 30, 1 << 60])
        header = struct.pack("<Q", length)
        header += struct.pack("<I", masked_crc(header)) + b"\x09" * source.randrange(2)
        at = source.randrange(len(data) + 1)
        data = data[:at] + header + data[at:]
    return data


def text_copy(source: Random, data: bytes) -> bytes:
    return data.replace(*source.choice([(b"\n", b"\r\n"), (b"\r\n", b"\n")]))


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (flip, flip, delete, insert, cut, zeros, lies, text_copy)


def whole(data: bytes, parts: list[Part]) -> bool:
    """Whether the bytes are some of the records, in order: then nothing shows."""
    offset = 0
    for part in parts:
        offset += len(part.data) if data.startswith(part.data, offset) else 0
    return offset == len(data)


def in_one_piece(data: bytes, parts: list[Part]) -> Iterator[Part]:
    """The records whose bytes are all there, and their own.

    Where the last byte of one was deleted and the next begins with the same, the first is whole again by that byte, and
    a reader that goes from record to record has no other left in its place.
    """
    end = 0
    for start, part in sorted((data.find(part.data), part) for part in parts if part.data in data):
        if start >= end:
            yield part
            end = start + len(part.data)


def make(source: Random) -> Case:
    kind = source.random()
    if kind < 0.03:
        return noise(source)
    parts = parts_of(source, 1500 if kind < 0.035 else source.choice([1, 3, 10, 25]))
    if kind < 0.15:
        return wrong_field(source, parts)
    points = frozenset(point for part in parts for point in part.points)
    data, made = b"".join(part.data for part in parts), []
    for _ in range(source.choice([0, 1, 1, 1, 2, 4])):
        damage = source.choice(DAMAGES)
        data = damage(source, data) if data else data
        made.append(damage.__name__)
    there = frozenset(point for part in in_one_piece(data, parts) for point in part.points)
    # A blob is skipped unread, with its checksum.
    large = any(len(part.data) > BLOB_BYTES for part in parts)
    truth = Truth(points, there, not large and not whole(data, parts), whole(data, parts))
    if source.random() < 0.1:
        data, truth = compressed(source, data, truth)
        made.append("gzip")
    name = source.choice(["events.out.tfevents.1", "events.out.tfevents.1.gz" if "gzip" in made else "x.tfevents"])
    return Case(name, data, truth, "+".join(made) or "healthy")


def compressed(source: Random, data: bytes, truth: Truth) -> tuple[bytes, Truth]:
    """Whole, or damaged: then all that can be said is that it shows, for the end of the stream does."""
    found = gzip.compress(data, source.choice([0, 1, 9]), mtime=0)
    if source.random() < 0.5:
        return found, truth
    found = source.choice([cut, flip])(source, found)
    if not found:
        return found, Truth(truth.points, frozenset(), shows=False)
    # The header of the stream holds times and names, of which nothing shows.
    shows = found[:10] == gzip.compress(data, 0, mtime=0)[:10] and gunzipped(found) != data
    return found, Truth(truth.points, frozenset(), shows)


def gunzipped(data: bytes) -> bytes | None:
    try:
        return gzip.decompress(data)
    except Exception:  # noqa: BLE001  # whatever it is, it shows
        return None


def wrong_field(source: Random, parts: list[Part]) -> Case:
    """One record has a field of a wire type or with a number that it should not have, and right checksums."""
    at = source.randrange(1, len(parts))
    payload = parts[at].data[12:-4]
    number, kind = source.choice([1, 2, 5, 7, 99]), source.choice([0, 1, 2, 3, 5])
    body = {0: b"\x05", 1: bytes(8), 2: b"\x01a", 3: b"\x08\x01" + varint(number << 3 | 4), 5: bytes(4)}[kind]
    right = (number, kind) in ((1, 1), (2, 0), (5, 2), (7, 2))
    extra = b"" if right else varint(number << 3 | kind) + body
    data = b"".join(part.data for part in parts[:at])
    data += record(source.choice([extra + payload, payload + extra])) + b"".join(part.data for part in parts[at + 1 :])
    points = frozenset(point for part in parts for point in part.points)
    return Case(
        "x.tfevents",
        data,
        Truth(points, points, bool(extra) and number != 99, not extra or number == 99),
        f"field {number}/{kind}",
    )


def noise(source: Random) -> Case:
    """Nothing that was an event file, or a message that is none."""
    size = source.choice([1, 12, 100, 5000])
    data = source.choice(
        [source.randbytes(size), bytes(size), record(source.randbytes(size)), b"step,loss\r\n1,2\r\n" * 9]
    )
    return Case("x.tfevents", data, None, "noise")


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    items = list(tensorboard.read(path))
    defects = [item for item in items if isinstance(item, Defect)]
    complaints, code = list[str](), None
    lot = zlib.crc32(case.content) % 8  # what takes longer than to read the file is done with some
    if lot in (0, 1):
        complaints += ways_differ(path, case)
    if lot in (2, 3):
        complaints += together_differs(path, items)
    if lot == 4 or case.size:
        report = scan(path, ScanConfig(tags=("*",)))
        code = report.exit_code
        if len(report.defects) != len(defects):
            complaints.append("the scan tells of other defects than the reader")
        if defects and code == 0:
            complaints.append("exit 0 with a defect")
    if isinstance(case.truth, Truth):
        complaints += untrue(case.truth, items, defects)
    return complaints, code


def untrue(truth: Truth, items: list[object], defects: list[Defect]) -> Iterator[str]:
    found = {
        (item.tag, step, struct.pack("<f", value))
        for item in items
        if isinstance(item, Series)
        for step, value in zip(item.steps, item.values, strict=True)
    }
    if found - truth.points:
        yield f"an invented value: {sorted(found - truth.points)[:2]}"
    if truth.there - found:
        yield f"a lost record: {sorted(truth.there - found)[:2]}"
    if truth.shows and not defects:
        yield "a silent loss"
    if truth.healthy and defects:
        yield f"a defect in a healthy file: {defects[0].message}"
    if len(defects) > 16 * 4:
        yield "a flood of defects"


def ways_differ(path: Path, case: Case) -> Iterator[str]:
    if case.content[:2] == b"\x1f\x8b":
        return
    outcomes = [outcome(way, path) for way in (paths.plain, paths.quick, paths.arrays)]
    if outcomes[0] != outcomes[1]:
        yield "templates find another content than the parser"
    if outcomes[0] != outcomes[2]:
        yield "arrays find another content than the parser"


def outcome(way: paths.Way, path: Path) -> list[object]:
    with path.open("rb") as stream:
        scalars = Scalars()
        defects = [found for found in way(Framing(SlidingBuffer(stream), str(path)), scalars) if found is not None]
    return [*in_bits(scalars.flush()), *defects]


def together_differs(path: Path, items: list[object]) -> Iterator[str]:
    other = path.parent / "other.tfevents"
    other.write_bytes(path.read_bytes())
    both = [in_bits(each) for each in tensorboard.read_many((each, ReadOptions()) for each in (path, other))]
    other.unlink()
    if both[0] != in_bits(items):
        yield "read together with another file it has another content"


def warm_up() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.tfevents"
        path.write_bytes(b"".join(part.data for part in parts_of(Random(0), 900)))
        judge(path, Case(path.name, path.read_bytes()))


TARGET = Target(make, judge, warm_up, command=lambda path: ["scan", str(path), "--tag", "*"], every=2000)

if __name__ == "__main__":
    raise SystemExit(main(TARGET, "event_files"))
