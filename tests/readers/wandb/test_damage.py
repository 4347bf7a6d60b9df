"""Transaction logs with damaged bytes: every intact record is read, every gap is told with its byte."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import one_in
from tests.event_files import read
from tests.readers.wandb.transaction_logs import BLOCK, HEADER, chunk, field, history, item, log, rows, write

COUNT = 1600  # some four blocks
ROWS = rows(COUNT, seed=3)
LOG = log(ROWS)
OFFSETS = [LOG.index(row) for row in ROWS if row in LOG]  # but for those that a block divides


def damaged(path: Path, content: bytes):
    path.write_bytes(content)
    series, defects = read(path, "wandb")
    return set(series["audio_loss"].steps if "audio_loss" in series else ()), defects


def test_a_flipped_byte_costs_one_record(tmp_path):
    at = LOG.index(ROWS[700]) + 20
    steps, defects = damaged(tmp_path / "run-x.wandb", LOG[:at] + bytes([LOG[at] ^ 1]) + LOG[at + 1 :])
    assert steps == set(range(COUNT)) - {700}
    [defect] = defects
    assert (defect.kind, defect.offset) == ("checksum", LOG.index(ROWS[700]) - 7)


def test_a_damaged_length_costs_one_record(tmp_path):
    at = LOG.index(ROWS[700]) - 3
    steps, defects = damaged(tmp_path / "run-x.wandb", LOG[:at] + b"\xff\x00" + LOG[at + 2 :])
    assert steps == set(range(COUNT)) - {700}
    [defect] = defects
    assert (defect.kind, defect.offset) == ("framing", at - 4)
    assert f"the next record starts at byte {LOG.index(ROWS[701]) - 7}" in defect.message


def test_each_damaged_block_is_told_and_the_others_read(tmp_path):
    content = bytearray(LOG)
    for block in (1, 3):
        content[block * BLOCK + 100 : (block + 1) * BLOCK - 100] = os.urandom(BLOCK - 200)
    steps, defects = damaged(tmp_path / "run-x.wandb", bytes(content))
    assert [defect.offset // BLOCK for defect in defects] == [1, 3]
    between = [step for step, at in enumerate(OFFSETS) if 2 * BLOCK < at < 3 * BLOCK - 300]
    assert len(steps & set(range(COUNT))) > COUNT / 3
    assert between


@pytest.mark.parametrize("zeros", [300, BLOCK, 5 * BLOCK])
def test_zeros_where_records_should_be(tmp_path, zeros):
    """What a machine leaves that went down in mid-write."""
    steps, defects = damaged(tmp_path / "run-x.wandb", LOG + bytes(zeros))
    assert steps == set(range(COUNT))
    assert [(defect.kind, defect.offset) for defect in defects] == [("framing", len(LOG))]


def test_a_damaged_header_costs_nothing_else(tmp_path):
    steps, defects = damaged(tmp_path / "run-x.wandb", b"\0" * 7 + LOG[7:])
    assert steps == set(range(COUNT))
    assert [(defect.kind, defect.offset) for defect in defects] == [("framing", 0)]


def test_what_is_no_log_at_all(tmp_path):
    steps, defects = damaged(tmp_path / "run-x.wandb", b"<!DOCTYPE html>" * 100)
    assert not steps
    assert [(defect.kind, defect.offset) for defect in defects] == [("not-a-log", 0)]


def test_a_record_that_breaks_off_in_mid_file(tmp_path):
    """Its first chunk ends a block; the one that should go on is another record."""
    first = chunk(2, b"x" * (BLOCK - len(HEADER) - 7))
    path = tmp_path / "run-x.wandb"
    path.write_bytes(HEADER + first + b"".join(chunk(1, row) for row in ROWS[:5]) + chunk(4, b"rest"))
    series, defects = read(path, "wandb")
    assert len(series["audio_loss"]) == 5
    assert [(defect.kind, defect.offset) for defect in defects] == [
        ("framing", len(HEADER)),
        ("framing", path.stat().st_size - 11),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(LOG) - 1), st.integers(0, 60), st.binary(max_size=60)), max_size=4))
def test_records_away_from_the_damage_are_read(tmp_path, damage):
    """Bytes overwritten, so that blocks stay where they are: whatever does not touch the damage is intact."""
    content = bytearray(LOG)
    for at, _, noise in damage:
        content[at : at + len(noise)] = noise[: len(LOG) - at]
    steps, defects = damaged(tmp_path / "run-x.wandb", bytes(content))
    touched = [range(at - 40, at + len(noise) + 300) for at, _, noise in damage]
    for row, step in zip(ROWS, range(COUNT), strict=True):
        at = LOG.find(row)
        if at >= 0 and not any(at + len(row) > area.start and at < area.stop for area in touched):
            assert step in steps
    assert steps == set(range(COUNT)) or defects
    assert all(0 <= defect.offset <= len(LOG) for defect in defects)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(LOG)))
def test_a_log_that_was_cut_gives_a_beginning(tmp_path, size):
    steps, defects = damaged(tmp_path / "run-x.wandb", LOG[:size])
    assert steps == set(range(len(steps)))
    assert all(defect.kind == "truncated" for defect in defects)
    assert len(defects) <= 1
    assert len(steps) >= sum(at + 250 < size for at in OFFSETS) - 1


def test_very_many_gaps_are_counted(tmp_path):
    content = bytearray(log(rows(3000)))
    for row in rows(3000)[::2]:
        at = content.find(row)
        if at >= 0:
            content[at + 10] ^= 1
    _, defects = damaged(tmp_path / "run-x.wandb", bytes(content))
    assert len(defects) == 101
    assert "more places" in defects[-1].message


HOSTILE = {
    "one long value": lambda: history(1, [item("loss", "9" * (1 << 20))], 1),
    "a list of lists": lambda: history(1, [item("loss", "[" + "[]," * 300_000 + "[]]")], 1),
    "deep": lambda: history(1, [item("loss", "[" * 500_000)], 1),
    "deep objects": lambda: history(1, [item("loss", '{"a":' * 150_000)], 1),
    "a deep name": lambda: history(1, [item(["a"] * 300_000, "1")], 1),
    "many items": lambda: history(1, [item(f"k{number}", "1") for number in range(60_000)], 1),
    "one name again and again": lambda: history(1, [item("loss", "1")] * 60_000, 1),
    "a varint without an end": lambda: b"\x08" + b"\xff" * (1 << 20),
    "fields without content": lambda: b"\x08\x01\x12" + b"\xff\xff\x3f" + b"\x0a\x00" * 500_000,
    "a name of a megabyte": lambda: history(1, [item("a/" * (1 << 19), "1")], 1),
}
MEASURED = """
import resource, sys, time
from pathlib import Path
from audioloss_cli import registry
import audioloss_cli.readers.wandb.reading
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in registry.load("readers", "wandb").read(Path(sys.argv[1])))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def measured(path: Path) -> tuple[int, int]:
    """Items that reading yields, KiB that it takes; within generous limits of time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    done = subprocess.run(
        [sys.executable, "-c", MEASURED, path],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=limit,
    )
    count, memory = map(int, done.stdout.split())
    return count, memory


@pytest.mark.parametrize("what", one_in(3, HOSTILE))
def test_hostile_records_cost_bounded_memory(tmp_path, what):
    path = write(tmp_path / "run-x.wandb", [*rows(3), HOSTILE[what](), *rows(3, start=3)])
    count, memory = measured(path)
    assert count
    assert memory < 200 << 10
    assert set(range(6)) <= set(read(path, "wandb")[0]["audio_loss"].steps)


@pytest.mark.parametrize("pattern", [b"\x01", b"\x04\x7f", b"\x3a\x01", b"\x6a\x01", b"\x01\x08", b"\x00\x01\x00"])
def test_a_megabyte_that_looks_like_chunks_everywhere(tmp_path, pattern):
    path = tmp_path / "run-x.wandb"
    path.write_bytes(HEADER + (pattern * (1 << 20))[: 1 << 20])
    count, memory = measured(path)
    assert count == 1
    assert memory < 100 << 10


def test_a_record_of_very_many_bytes_is_told_and_not_kept(tmp_path):
    path = write(tmp_path / "run-x.wandb", [*rows(3), field(2, bytes(17 << 20)), *rows(3, start=3)])
    _, memory = measured(path)
    assert memory < 100 << 10
    series, defects = read(path, "wandb")
    assert list(series["audio_loss"].steps) == list(range(6))
    assert [defect.kind for defect in defects] == ["malformed"]
