"""Damaged lines: the good rows, and a Defect that names the line."""

import gzip
import json
import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.event_files import read
from tests.storage.zstandard import compress

ROWS = [{"step": step, "loss": step + 0.5, "lr": {"g0": 0.1}} for step in range(10)]
COMPRESSED = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", *(bytes([kind, 0x2A, 0x4D, 0x18]) for kind in range(0x50, 0x60)))
LINES = [json.dumps(row).encode() for row in ROWS]


def outcome(path):
    series, defects = read(path, "jsonl")
    steps = list(series["loss"].steps) if "loss" in series else []
    return steps, [(defect.kind, defect.line) for defect in defects]


def lines_with(*replaced: tuple[int, bytes]) -> bytes:
    lines = list(LINES)
    for index, data in replaced:
        lines[index] = data
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (b"{oops", "malformed"),
        (b"[1, 2]", "malformed"),
        (b"7", "malformed"),
        (b'{"step": 4, "loss": "\xff"}', "encoding"),
        (b"\0" * 50, "malformed"),
    ],
)
def test_one_bad_line_in_the_middle(bad, kind, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((4, bad)))
    assert outcome(path) == ([0, 1, 2, 3, 5, 6, 7, 8, 9], [(kind, 5)])
    (defect,) = read(path, "jsonl")[1]
    assert defect.offset == sum(len(line) + 1 for line in LINES[:4])


def test_a_partial_last_line(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(LINES)[:-7])
    assert outcome(path) == (list(range(9)), [("truncated", 10)])


def test_a_whole_last_line_without_a_newline(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(LINES))
    assert outcome(path) == (list(range(10)), [])


def test_a_stretch_of_bad_lines_is_one_defect(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((2, b"x"), (3, b"y"), (4, b"z"), (7, b"!")))
    assert outcome(path)[1] == [("malformed", 3), ("malformed", 8)]
    assert "lines 3 to 5" in read(path, "jsonl")[1][0].message


def test_a_file_that_is_something_else(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"a": [1, 2], "b": {"c": 3}}, indent=2))
    assert outcome(path) == ([], [("not-a-log", 1)])


@pytest.mark.parametrize("index", [0, 4, 8])
@pytest.mark.parametrize("lost", [b"", b"\x00", b"}", b"7", b'"', b"\xff"])
def test_a_lost_newline_loses_neither_row(index, lost, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(LINES[: index + 1]) + lost + b"\n".join(LINES[index + 1 :]) + b"\n")
    steps, defects = outcome(path)
    assert steps == list(range(10))
    assert [line for _, line in defects] == [index + 1]


@pytest.mark.parametrize("cut", range(1, len(LINES[4])))
def test_a_writer_that_died_in_mid_line_and_was_followed_by_another(cut, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(LINES[:4]) + b"\n" + LINES[4][:cut] + b"\n".join(LINES[5:]) + b"\n")
    steps, defects = outcome(path)
    assert steps == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert [line for _, line in defects] == [5]


def test_the_inside_of_a_damaged_row_is_never_taken_for_a_row(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((4, b'{"step": 4, "loss": 1.0, "lr": {"g0": 0.1}')))
    assert set(read(path, "jsonl")[0]) == {"loss", "lr/g0"}
    assert outcome(path)[0] == [0, 1, 2, 3, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("step", [b"1e300", b"4.25"])
def test_a_step_that_is_none_costs_neither_its_row_nor_the_steps_of_others(step, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((4, b'{"step": ' + step + b', "loss": 1.0}')))
    assert outcome(path) == ([0, 1, 2, 3, 3, 5, 6, 7, 8, 9], [("malformed", 5)])


def test_an_endless_line_is_skipped_and_the_rest_read(tmp_path, monkeypatch):
    from audioloss_cli.storage import lines

    monkeypatch.setattr(lines, "_CHUNK", 100)
    monkeypatch.setattr(lines, "LONGEST_LINE", 300)
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((4, b'{"junk": "' + b"x" * 5000 + b'"}')))
    assert outcome(path) == ([0, 1, 2, 3, 5, 6, 7, 8, 9], [("malformed", 5)])


def test_deep_nesting_is_no_crash(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines_with((4, b'{"a":' * 20_000 + b"1" + b"}" * 20_000), (5, b'{"a":' * 200 + b"1" + b"}" * 200)))
    assert outcome(path)[0] == [0, 1, 2, 3, 6, 7, 8, 9]


@pytest.mark.parametrize("pack", [gzip.compress, compress])
@pytest.mark.parametrize("keep", [0.3, 0.7, 0.999])
def test_a_compressed_log_that_is_cut_short(pack, keep, tmp_path):
    noise = random.Random(1)
    rows = [json.dumps({"step": step, "loss": noise.random()}).encode() for step in range(30_000)]
    packed = pack(b"\n".join(rows))
    path = tmp_path / "x.jsonl"
    path.write_bytes(packed[: int(len(packed) * keep)])
    steps, defects = outcome(path)
    assert steps == list(range(len(steps)))
    assert len(steps) >= (keep * 0.9 - 0.25) * len(rows)
    assert "compression" in [kind for kind, _ in defects]


@pytest.mark.parametrize("pack", [gzip.compress, compress])
def test_a_compressed_log_with_a_flipped_byte_is_told(pack, tmp_path):
    packed = bytearray(pack(b"\n".join(LINES * 50)))
    for place in range(4, len(packed), 7):
        data = bytearray(packed)
        data[place] ^= 0x10
        path = tmp_path / "x.jsonl"
        path.write_bytes(data)
        steps, defects = outcome(path)
        assert defects or steps == list(range(10)) * 50


def first_bad_line(data: bytes) -> int | None:
    """What json alone says; a byte order mark before it all is no damage."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            if line.strip() and not isinstance(json.loads(line.decode("utf-8")), dict):
                return number
        except (ValueError, RecursionError):
            return number
    return None


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["flip", "delete", "insert", "cut"]),
    at=st.integers(0, 10**6),
    noise=st.binary(min_size=1, max_size=60),
)
def test_any_damage_spares_the_lines_it_does_not_touch(tmp_path, kind, at, noise):
    data = b"\n".join(LINES) + b"\n"
    at %= len(data)
    end = len(data) if kind == "cut" else min(at + len(noise), len(data))
    middle = {
        "flip": bytes(a ^ b for a, b in zip(data[at:end], noise, strict=False)),
        "insert": noise + data[at:end],
    }.get(kind, b"")
    damaged = data[:at] + middle + data[end:]
    assume(not damaged.startswith(COMPRESSED))  # a log that names itself packed is so read
    path = tmp_path / "x.jsonl"
    path.write_bytes(damaged)
    touched_end = at + 1 if kind == "insert" else end
    first = data[:at].count(b"\n")
    last = data[:touched_end].count(b"\n")
    series, defects = read(path, "jsonl")
    found = set(zip(series["loss"].steps, series["loss"].values, strict=True)) if "loss" in series else set()
    lines = [defect.line for defect in defects if "the row was read as one of step" not in defect.message]
    assert (lines[0] if lines else None) == first_bad_line(damaged), "a silent loss"
    for step in range(10):
        if step < first or (step > last and kind != "cut"):
            assert (step, step + 0.5) in found


def test_bytes_that_are_no_utf8_are_told_in_every_line(tmp_path):
    """They are no dress, as colours are, though most lines have some."""
    path = tmp_path / "x.jsonl"
    rows = [b'{"step": %d, "loss": %d.5, "note": "\xff"}' % (step, step) for step in range(10)]
    path.write_bytes(b"\n".join([*rows, b'{"step": 10, "loss": 10.5, "note": ""}', b""]))
    steps, defects = outcome(path)
    assert steps == list(range(11))
    assert defects == [("encoding", line) for line in range(1, 11)]
