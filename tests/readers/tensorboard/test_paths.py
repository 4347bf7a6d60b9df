"""All ways of reading find the same, to the last bit: the wire parser is the specification of the faster ones."""

import os
import struct
import threading
from array import array
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.model import Cursor, Defect, ReadOptions, Series, series
from audioloss_cli.readers import tensorboard
from audioloss_cli.readers.tensorboard import blobs, framing, paths, template
from audioloss_cli.readers.tensorboard.arrays import chain, walk
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.framing import Framing
from audioloss_cli.readers.tensorboard.scalars import Scalars
from tests import event_messages as event_pb2
from tests.effort import examples
from tests.event_files import record

WAYS = ("plain", "quick", "arrays")
TAGS = ("loss", "train/audio_loss", "lr", "loss2", "b" * 200, "")
SIZES = {"WINDOW_BYTES": 700, "_STINTS": (64, 512)}
KINDS = [
    *("simple", "several", "content", "double", "float_val", "rank 1", "half", "named", "named second", "text"),
    *("image", "histogram", "start", "version", "no time", "twice", "garbage", "long key"),
]


class Stretch(NamedTuple):
    """Some records in a row that differ in step, wall time and value alone."""

    kind: str
    tag: str
    step: int
    bits: int
    count: int


stretches = st.lists(
    st.builds(
        Stretch,
        st.sampled_from([*["simple"] * 3, *KINDS, "named second"]),
        st.sampled_from(TAGS),
        st.sampled_from([0, 1, 100, 127, 16380, 2**21 - 2, 2**40, 2**62, -3]),
        st.integers(0, 2**32 - 1),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)
damage = st.lists(
    st.tuples(st.sampled_from(["flip", "delete", "insert", "cut"]), st.integers(0, 10**6), st.integers(1, 255)),
    max_size=2,
)


def payloads(stretch: Stretch) -> list[bytes]:
    return [payload(stretch, number) for number in range(stretch.count)]


def payload(stretch: Stretch, number: int) -> bytes:  # noqa: C901, PLR0912
    bits = (stretch.bits + number * 7919) % 2**32
    event = event_pb2.Event(step=stretch.step + number)
    if stretch.kind != "no time":
        event.wall_time = 1.7e9 + number * 0.3
    raw = struct.pack("<I", bits)
    if stretch.kind == "long key":  # a key of two bytes where one would do
        return (
            b"\x09"
            + struct.pack("<d", 1.7e9)
            + b"\x90\x00\x05"
            + payload(stretch._replace(kind="simple", step=0), 0)[9:]
        )
    if stretch.kind in ("simple", "no time", "twice"):
        for _ in range(2 if stretch.kind == "twice" else 1):
            event.summary.value.add(tag=stretch.tag, simple_value=1.0)
        # A signalling NaN would not survive the way through the message class.
        return event.SerializeToString().replace(struct.pack("<f", 1.0), raw)
    if stretch.kind == "several":
        for tag in TAGS[:3]:
            event.summary.value.add(tag=tag, simple_value=number + len(tag))
    elif stretch.kind == "named second":  # of two values of one tag; the first one counts only where it is known before
        for plugin in ("", "scalars"):
            value = event.summary.value.add(tag=stretch.tag)
            value.tensor.dtype, value.tensor.tensor_content = 1, raw
            value.tensor.tensor_shape.dim.add(size=1)
            if plugin:
                value.metadata.plugin_data.plugin_name = plugin
    elif stretch.kind in ("content", "double", "float_val", "rank 1", "half", "named"):
        value = event.summary.value.add(tag=stretch.tag)
        value.tensor.dtype = {"double": 2, "half": 19}.get(stretch.kind, 1)
        if stretch.kind == "rank 1":
            value.tensor.tensor_shape.dim.add(size=1)
        if stretch.kind == "float_val":
            value.tensor.float_val.append(number + 0.25)
        elif stretch.kind == "half":
            value.tensor.half_val.append(bits % 65536)
        else:
            value.tensor.tensor_content = raw * (2 if stretch.kind == "double" else 1)
        if stretch.kind == "named":
            value.metadata.plugin_data.plugin_name = "scalars"
    elif stretch.kind == "text":
        value = event.summary.value.add(tag=stretch.tag)
        value.tensor.dtype, value.tensor.string_val[:] = 7, [b"words"]
        value.metadata.plugin_data.plugin_name = "text"
    elif stretch.kind == "image":
        event.summary.value.add(tag="image").image.encoded_image_string = bytes(range(256)) * 4
    elif stretch.kind == "histogram":
        event.summary.value.add(tag="weights").histo.bucket.extend([1.0, float(bits)])
    elif stretch.kind == "start":
        event.session_log.status = 1
    elif stretch.kind == "version":
        event.file_version = "brain.Event:2"
    else:
        return b"\x09" + raw * 3
    return event.SerializeToString()


def damaged(data: bytes, kind: str, at: int, size: int) -> bytes:
    at %= len(data) or 1
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ size]) + data[at + 1 :] if data else data
    if kind == "delete":
        return data[:at] + data[at + size :]
    return data[:at] + bytes([size]) * (size % 40) + data[at:] if kind == "insert" else data[:at]


def outcome(way: str, path, *, checksum: bool = True) -> tuple[list[object], list[object]]:
    """Series to the last bit, in the order of their first points, and defects."""
    with path.open("rb") as stream:
        scalars = Scalars()
        walked = Framing(SlidingBuffer(stream), str(path), checksum=checksum)
        defects = [found for found in getattr(paths, way)(walked, scalars) if found is not None]
        assert not stream.read(), "the file was not read to its end"
    found = [
        (
            each.tag,
            *(
                array(kind, column).tobytes()
                for kind, column in zip("qdd", (each.steps, each.values, each.wall_times), strict=True)
            ),
            each.restarts,
        )
        for each in scalars.flush()
    ]
    return found, defects


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=stretches, wrong=damage, checksum=st.booleans())
def test_every_way_finds_the_same(tmp_path, parts, wrong, checksum):
    data = b"".join(record(each) for part in parts for each in payloads(part))
    for each in wrong:
        data = damaged(data, *each)
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    expected = outcome("plain", path, checksum=checksum)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SIZES.items():
            patch.setattr(walk, name, value)
        assert outcome("arrays", path, checksum=checksum) == expected
    assert outcome("quick", path, checksum=checksum) == expected
    assert outcome("arrays", path, checksum=checksum) == expected


@given(stretch=stretches, noise=st.binary(min_size=8, max_size=8))
def test_a_template_says_what_the_parser_finds(stretch, noise):
    """Whatever stands in the places that may vary: the places of a template hold the numbers that the parser finds."""
    for part in stretch:
        found = template.learn(payload(part, 0))
        if found is None:
            continue
        data = bytearray(found.payload)
        for place in found.places:
            size = int(place.layout[-1])
            data[place.at : place.at + size] = noise[:size]
        data[1:9] = noise
        event = parse_event(bytes(data))
        assert struct.pack("<d", event.wall_time) == noise
        for place, value in zip(found.places, event.values, strict=True):
            number = value.simple if value.simple is not None else value.tensor.number
            expected = struct.unpack_from({"<f4": "<f", "<f8": "<d"}[place.layout], data, place.at)[0]
            assert struct.pack("<d", number) == struct.pack("<d", expected)
            assert (value.tag, value.plugin) == (place.tag, place.plugin)


@pytest.mark.parametrize("way", WAYS)
def test_a_list_of_one_counts_from_the_record_on_that_calls_it_a_scalar(way, tmp_path):
    kinds = ["rank 1", "rank 1", "named", "rank 1", "rank 1"]
    data = [each for number, kind in enumerate(kinds) for each in payloads(Stretch(kind, "loss", 10 * number, 7, 4))]
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(map(record, data)))
    (found,), defects = outcome(way, path)
    assert array("q", found[1]).tolist() == [20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 43]
    assert not defects


def image(step: int, size: int) -> bytes:
    blob = event_pb2.Event(wall_time=1.0, step=step)
    blob.summary.value.add(tag="image").image.encoded_image_string = bytes(size)
    return blob.SerializeToString()


def graph(step: int, size: int) -> bytes:
    return event_pb2.Event(wall_time=1.0, graph_def=bytes(size)).SerializeToString()


def with_blobs(count: int, size: int, blob=image) -> list[bytes]:
    """Points with an image behind every third."""
    parts = []
    for step in range(count):
        parts.append(record(payload(Stretch("simple", "loss", step, 1000 + step, 1), 0)))
        if step % 3 == 0:
            parts.append(record(blob(step, size)))
    return parts


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("blob", [image, graph])
def test_blobs_are_skipped_unread(blob, way, tmp_path):
    path = tmp_path / "x.tfevents"
    parts = with_blobs(30, framing.BLOB_BYTES, blob)
    data = bytearray(b"".join(parts))
    path.write_bytes(data)
    expected = outcome(way, path)
    data[len(parts[0]) + 30_000] ^= 1
    path.write_bytes(data)
    assert outcome(way, path) == expected
    assert len(expected[0][0][1]) == 8 * 30


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("swallowed", [1, 2, 3])
def test_a_blob_that_lost_bytes_swallows_no_points_in_silence(way, swallowed, tmp_path):
    """Even where its length then ends just where a later record does."""
    parts = with_blobs(30, framing.BLOB_BYTES)
    first = len(parts[0])
    lost = sum(map(len, parts[2 : 2 + swallowed]))
    data = b"".join(parts)
    path = tmp_path / "x.tfevents"
    path.write_bytes(data[: first + 20_000] + data[first + 20_000 + lost :])
    found, defects = outcome(way, path)
    if swallowed < 3:
        assert defects
        assert len(found[0][1]) == 8 * 30
    assert (found, defects) == outcome("plain", path)


@pytest.mark.parametrize("way", WAYS)
def test_a_record_that_is_large_but_holds_scalars_is_read(way, tmp_path):
    event = event_pb2.Event(wall_time=1.0, step=3)
    for number in range(4000):
        event.summary.value.add(tag=f"metric/{number:012d}", simple_value=number)
    path = tmp_path / "x.tfevents"
    assert len(event.SerializeToString()) > framing.BLOB_BYTES
    path.write_bytes(record(event.SerializeToString()))
    assert len(outcome(way, path)[0]) == 4000


@given(head=st.binary(max_size=60), size=st.integers(0, 10**6))
def test_any_bytes_may_be_asked_about(head, size):
    assert blobs.holds_no_scalar(head, size) in (True, False)


def test_a_thousand_tags_of_one_length_in_random_order(tmp_path):
    data = [
        payload(Stretch("simple", f"metric/{number * 7919 % 1000:04d}", number // 1000, number, 1), 0)
        for number in range(9000)
    ]
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(map(record, data)))
    assert outcome("arrays", path) == outcome("plain", path) == outcome("quick", path)


def test_large_files_are_flushed_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(series, "POINTS_OF_A_CHUNK", 500)
    monkeypatch.setattr(walk, "WINDOW_BYTES", 1 << 16)
    monkeypatch.setattr(paths, "_BYTES_WORTH_ARRAYS", 0)
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(record(each) for each in payloads(Stretch("simple", "loss", 1, 1, 20_000))))
    sizes = [len(chunk) for chunk in tensorboard.read(path, ReadOptions(arrays=True))]
    assert sum(sizes) == 20_000
    assert max(sizes) < 3000


def test_lengths_are_known_by_their_checksums_alone():
    links = chain.chain(np.zeros(5000, np.uint8), [0, 900])
    assert (links.ends, links.cut) == ([0], [True])


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=stretches, cuts=st.lists(st.integers(0, 10**6), max_size=3), wrong=damage, blob=st.booleans())
def test_a_log_read_as_it_grows_gives_what_it_gives_at_once(tmp_path, parts, cuts, wrong, blob):
    data = b"".join(record(each) for part in parts for each in payloads(part))
    data += b"".join(with_blobs(4, framing.BLOB_BYTES)) if blob else b""
    for each in wrong:
        data = damaged(data, *each)
    path = tmp_path / "x.tfevents"
    items, mark = [], None
    for size in sorted({*(cut % (len(data) + 1) for cut in cuts), len(data)}):
        path.write_bytes(data[:size])
        items = items if mark else []
        found = list(tensorboard.read(path, ReadOptions(since=mark, mark=True, arrays=True)))
        mark = found.pop() if found and isinstance(found[-1], Cursor) else None
        items += found
    assert whole(items) == whole(tensorboard.read(path))


def whole(items):
    chunks: dict[str, list[Series]] = {}
    defects = []
    for item in items:
        if isinstance(item, Defect):
            defects.append(item)
        else:
            chunks.setdefault(item.tag, []).append(item)
    joined = [Series.join(each) for each in chunks.values()]
    return [
        (each.tag, bytes(each.steps), bytes(each.values), bytes(each.wall_times), each.restarts) for each in joined
    ], defects


def test_a_signalling_nan_is_read_without_a_warning(tmp_path, recwarn):
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(record(each) for each in payloads(Stretch("simple", "loss", 1, 0x7F800001 - 7919, 3))))
    assert outcome("arrays", path) == outcome("plain", path)
    assert not recwarn.list


def test_zeros_at_the_end_of_a_large_file_cost_no_search(tmp_path):
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(record(each) for each in payloads(Stretch("simple", "loss", 1, 1, 12))))
    with path.open("r+b") as stream:
        stream.truncate(1 << 28)
    (found,), (defect,) = outcome("arrays", path)
    assert len(found[1]) == 8 * 12
    assert "no record follows" in defect.message


def test_records_of_megabytes_come_through_a_pipe(tmp_path):
    parts = with_blobs(7, 3 << 20)
    fifo = tmp_path / "x.tfevents"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(b"".join(parts)))
    writer.start()
    items = list(tensorboard.read(fifo))
    writer.join()
    assert [len(item) for item in items] == [7]
