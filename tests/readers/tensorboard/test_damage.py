"""Any corruption gives the good records and a Defect: no crash, no invented value, no lost neighbour."""

import struct
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.model import Defect, ReadOptions, Series
from tests import event_messages as event_pb2
from tests.effort import examples
from tests.event_files import masked_crc32c, read, records, scalar_event, triples, version_event

TAG = "loss"


def healthy_records(count: int, blob: int = 0) -> list[bytes]:
    """A version record, then points of which each has its own value; a blob in the middle if asked for."""
    events = [version_event(), *(scalar_event(step, {TAG: step + 0.5}) for step in range(count))]
    if blob:
        big = event_pb2.Event(wall_time=1.0, step=1)
        big.summary.value.add(tag="audio").audio.encoded_audio_string = bytes(range(256)) * (blob // 256)
        events.insert(count // 2, big)
    return records(events)


def steps_in(path) -> list[int]:
    series, _ = read(path)
    return list(series[TAG].steps) if TAG in series else []


class Damage(NamedTuple):
    kind: str
    at: int
    size: int
    noise: bytes


damages = st.builds(
    Damage,
    st.sampled_from(["flip", "delete", "insert", "cut"]),
    st.integers(0, 10**6),
    st.integers(1, 90),
    st.binary(min_size=1, max_size=90),
)


def apply(parts: list[bytes], damage: Damage) -> tuple[bytes, set[int]]:
    """The damaged bytes, and which records are still there in one piece."""
    data, starts, offset = b"".join(parts), [], 0
    for part in parts:
        starts.append((offset, offset + len(part)))
        offset += len(part)
    at = damage.at % len(data)
    if damage.kind == "flip":
        noise = damage.noise[: len(data) - at]
        changed = {at + index for index, byte in enumerate(noise) if byte}
        data = data[:at] + bytes(a ^ b for a, b in zip(data[at:], noise, strict=False)) + data[at + len(noise) :]
        return data, {n for n, (a, b) in enumerate(starts) if not any(a <= place < b for place in changed)}
    if damage.kind == "delete":
        end = min(at + damage.size, len(data))
        return data[:at] + data[end:], {n for n, (a, b) in enumerate(starts) if b <= at or a >= end}
    if damage.kind == "insert":
        return data[:at] + damage.noise + data[at:], {n for n, (a, b) in enumerate(starts) if b <= at or a >= at}
    return data[:at], {n for n, (_, b) in enumerate(starts) if b <= at}


def whole_records(data: bytes, parts: list[bytes]) -> bool:
    """Whether nothing shows: the bytes are some of the records, in order (a deletion may take exactly one out)."""
    offset = 0
    for part in parts:
        offset += len(part) if data.startswith(part, offset) else 0
    return offset == len(data)


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 12), blob=st.sampled_from([0, 0, 512, 4096]), damage=damages)
def test_one_damage_of_any_kind(tmp_path, count, blob, damage):
    parts = healthy_records(count, blob)
    data, whole = apply(parts, damage)
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    series, defects = read(path)
    found = triples(series[TAG]) if TAG in series else []
    path.write_bytes(b"".join(parts))
    original = triples(read(path)[0][TAG])
    intact = b"".join(part for number, part in enumerate(parts) if number in whole)
    path.write_bytes(intact)
    untouched = triples(read(path)[0][TAG]) if steps_in(path) else []
    assert set(found) <= set(original), "an invented value"
    assert set(untouched) <= set(found), "a lost record"
    assert found == sorted(found)
    assert defects or whole_records(data, parts), "a silent loss"


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 12), several=st.lists(damages, min_size=2, max_size=4))
def test_several_damages_never_crash_and_never_invent(tmp_path, count, several):
    parts = healthy_records(count)
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(parts))
    original = set(triples(read(path)[0][TAG]))
    data = [b"".join(parts)]
    for damage in several:
        if data[0]:
            data = [apply(data, damage)[0]]
    path.write_bytes(data[0])
    series, _ = read(path)
    assert set(triples(series[TAG]) if TAG in series else []) <= original


def test_a_flipped_payload_byte_costs_one_record_and_names_its_offset(tmp_path):
    parts = healthy_records(1000)
    data = bytearray(b"".join(parts))
    offset = sum(map(len, parts[:301]))
    data[offset + 20] ^= 1
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    series, defects = read(path)
    assert len(series[TAG]) == 999
    assert [(defect.kind, defect.offset, defect.path) for defect in defects] == [("checksum", offset, str(path))]


def test_without_checksums_a_changed_value_is_believed_and_a_changed_length_is_not(tmp_path):
    parts = healthy_records(20)
    data = bytearray(b"".join(parts))
    data[sum(map(len, parts[:4])) - 5] ^= 1  # the last byte of a value
    data[sum(map(len, parts[:9]))] ^= 1
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    items = list(registry.load("readers", "tensorboard").read(path, ReadOptions(checksum=False)))
    assert [len(item) for item in items if isinstance(item, Series)] == [19]
    assert [item.kind for item in items if isinstance(item, Defect)] == ["framing"]
    assert [item.kind for item in read(path)[1]] == ["checksum", "framing"]


@pytest.mark.parametrize("byte", range(8))
def test_a_flipped_length_costs_one_record(byte, tmp_path):
    parts = healthy_records(20)
    offset = sum(map(len, parts[:7]))
    data = bytearray(b"".join(parts))
    data[offset + byte] ^= 0x40
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    series, defects = read(path)
    assert list(series[TAG].steps) == [step for step in range(20) if step != 6]
    assert [(defect.kind, defect.offset) for defect in defects] == [("framing", offset)]
    assert f"starts at byte {offset + len(parts[7])}" in defects[0].message


def test_a_flipped_length_checksum_costs_nothing_but_is_told(tmp_path):
    parts = healthy_records(5)
    data = bytearray(b"".join(parts))
    data[len(parts[0]) + 9] ^= 1
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    series, defects = read(path)
    assert len(series[TAG]) == 5
    assert [(defect.kind, defect.offset) for defect in defects] == [("checksum", len(parts[0]))]


@pytest.mark.parametrize("left", [1, 11, 12, 13, 30])
def test_a_half_written_last_record(left, tmp_path):
    parts = healthy_records(5)
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(parts[:-1]) + parts[-1][:left])
    series, defects = read(path)
    assert len(series[TAG]) == 4
    assert [(defect.kind, defect.offset) for defect in defects] == [("truncated", sum(map(len, parts[:-1])))]


def test_a_length_no_file_can_have_costs_no_memory(tmp_path):
    length = struct.pack("<Q", 1 << 60)
    path = tmp_path / "x.tfevents"
    path.write_bytes(length + struct.pack("<I", masked_crc32c(length)) + b"".join(healthy_records(3)))
    series, defects = read(path)
    assert len(series[TAG]) == 3
    assert [defect.kind for defect in defects] == ["framing"]


def test_lost_bytes_whose_count_is_that_of_a_record_hide_no_neighbour(tmp_path):
    parts = healthy_records(8, blob=4096)
    blob = max(range(len(parts)), key=lambda number: len(parts[number]))
    size = len(parts[blob + 1])
    short = parts[blob][:100] + parts[blob][100 + size :]
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join([*parts[:blob], short, *parts[blob + 1 :]]))
    assert steps_in(path) == list(range(8))


def test_records_across_buffer_borders(tmp_path, monkeypatch):
    from audioloss_cli.readers.tensorboard import buffer, framing

    monkeypatch.setattr(buffer, "_CHUNKS", (16, 64))
    monkeypatch.setattr(framing, "_SEARCH_BYTES", (16, 32))
    parts = healthy_records(30)
    data = bytearray(b"".join(parts))
    data[len(parts[0]) + len(parts[1]) + 2] ^= 0x40
    path = tmp_path / "x.tfevents"
    path.write_bytes(data)
    assert steps_in(path) == [0, *range(2, 30)]


def test_zeros_at_the_end_as_a_full_disk_leaves_them(tmp_path):
    path = tmp_path / "x.tfevents"
    path.write_bytes(b"".join(healthy_records(5)) + bytes(5000))
    series, defects = read(path)
    assert len(series[TAG]) == 5
    assert [defect.kind for defect in defects] == ["framing"]
