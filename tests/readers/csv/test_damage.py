"""Damaged tables: every readable row is read, each kind of trouble told once; and what is large or hostile."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import scan
from audioloss_cli.model import Defect, Series
from audioloss_cli.readers.csv import claims, read
from audioloss_cli.storage.log_file import LogFile
from tests.effort import one_in

ROWS = [(step, step / 7 + 0.5) for step in range(1, 301)]
TEXT = "step,audio_loss,lr\n" + "".join(f"{step},{loss!r},0.5\n" for step, loss in ROWS)


def found_in(path: Path) -> tuple[list[tuple[int, float]], list[Defect]]:
    """The points of the audio loss, and the defects."""
    items = list(read(path))
    points = [
        point
        for item in items
        if isinstance(item, Series) and item.tag == "audio_loss"
        for point in zip(item.steps, item.values, strict=True)
    ]
    return points, [item for item in items if isinstance(item, Defect)]


def damaged(tmp_path: Path, line: int, text: str) -> Path:
    """The table with another text in place of a line of it (1-based)."""
    lines = TEXT.splitlines(keepends=True)
    lines[line - 1] = text
    path = tmp_path / "log.csv"
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    ("text", "kind", "says", "is_read"),
    [
        ("99,14.642857142857142\n", "malformed", "fewer cells", True),
        ("99,14.64,0.5,7\n", "malformed", "more cells", False),
        ('99,"14.64,0.5\n', "malformed", "quote", False),
        ("99,14.642857142857142,0.5\0\0\0\n", "malformed", "zero bytes", True),
        ("99,14.642857142857142," + "0" * 200_000 + '"x"\n', "malformed", "field", False),
    ],
)
def test_one_bad_row_is_told_and_costs_itself_alone(tmp_path, text, kind, says, is_read):
    points, defects = found_in(damaged(tmp_path, 100, text))
    assert points == [point for point in ROWS if is_read or point[0] != 99]
    assert [(defect.kind, defect.line) for defect in defects] == [(kind, 100)]
    assert says in defects[0].message


def test_bytes_that_are_no_text_in_place_of_a_number(tmp_path):
    path = damaged(tmp_path, 100, "99,X,0.5\n")
    path.write_bytes(path.read_bytes().replace(b"X", b"1\xff4.5"))
    points, defects = found_in(path)
    assert points == [point for point in ROWS if point[0] != 99]
    assert [(defect.kind, defect.line) for defect in defects] == [("encoding", 100)]


def test_many_bad_rows_are_one_defect_with_a_count(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(TEXT + "1,2,3,4\n" * 1000, encoding="utf-8")
    points, defects = found_in(path)
    assert points == ROWS
    assert [defect.line for defect in defects] == [302]
    assert "1000 rows" in defects[0].message


def test_text_in_quotes_may_go_over_lines(tmp_path):
    points, defects = found_in(damaged(tmp_path, 100, '99,14.642857142857142,"a\nb, ""c""\n"\n'))
    assert points == ROWS
    assert not defects


def test_a_file_that_ends_inside_a_row(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(TEXT + "301,43.", encoding="utf-8")
    points, defects = found_in(path)
    assert points == ROWS
    assert [(defect.kind, defect.line) for defect in defects] == [("truncated", 302)]
    assert [defect.kind for defect in scan(path).defects] == ["truncated"]


def test_a_damaged_header_is_named(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"st\0\0\0audio_l" + TEXT[18:].encode())
    report = scan(tmp_path)
    assert report.exit_code == 3
    assert [defect.kind for defect in report.defects] == ["not-a-log"]


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.99])
def test_a_compressed_table_that_breaks_off_is_told(tmp_path, keep):
    path = tmp_path / "log.csv.gz"
    whole = gzip.compress(TEXT.encode())
    path.write_bytes(whole[: int(len(whole) * keep)])
    assert claims(LogFile(path))
    points, defects = found_in(path)
    assert points == ROWS[: len(points)]
    assert "compression" in {defect.kind for defect in defects}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=120)
@given(
    at=st.integers(0, 10**6),
    lost=st.integers(0, 30),
    noise=st.sampled_from([b"", b'"', b",", b"\n", b"\0\0\0", b"\xff", b",,,,", b"step,", b'"\n"', b"\r", b"#"]),
)
def test_a_damage_costs_a_few_rows(tmp_path, at, lost, noise):
    text = TEXT.encode()
    at = len("step,audio_loss,lr\n") + at % (len(text) - len("step,audio_loss,lr\n"))
    path = tmp_path / "log.csv"
    path.write_bytes(text[:at] + noise + text[at + lost :])
    points, defects = found_in(path)
    assert len(set(ROWS).intersection(points)) >= len(ROWS) - 4
    if len(points) < len(ROWS) - 1 - lost // 8:
        assert defects


HOSTILE = {
    "one cell": b"step,audio_loss\n1," + b"7" * (1 << 20) + b"\n",
    "spaces": b"step,audio_loss\n1," + b" " * (1 << 20) + b"x\n",
    "blank": b" " * (1 << 20) + b"step,audio_loss\n1,2\n",
    "commas": b"step,audio_loss\n1,2\n" + b"," * (1 << 20) + b"\n",
    "quotes": b"step,audio_loss\n1,2\n" + b'"' * ((1 << 20) - 1) + b"\n2,3\n",
    "open quotes": b"step,audio_loss\n" + b'1,"2\n' * (1 << 18),
    "columns": b",".join(b"loss_%d" % at for at in range(100_000)) + b"\n" + b"1," * 99_999 + b"1\n",
    "names": b"step," + b"audio_loss" * 100_000 + b"\n1,2\n2,3\n",
    "dashes": b"Step,a__MIN,a__MAX," + b"a - " * 200_000 + b"loss\n1,2,3,4\n",
    "text rows": b"step,audio_loss\n" + b"1,x\n" * (1 << 18),
    "headers": b"step,audio_loss\n" + b"step,audio_loss\n" * (1 << 16),
    "brackets": b"step,audio_loss\n1," + b"[" * (1 << 20) + b"\n",
    "blank lines": b"step,audio_loss\n1,2\n" + b"\n" * (1 << 20),
}
BOUNDED = """
import resource, sys, time
from pathlib import Path
from audioloss_cli.readers.csv import claims, read, reading
from audioloss_cli.storage.log_file import LogFile
path = Path(sys.argv[1])
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
claims(LogFile(path))
for item in read(path):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)
"""


@pytest.mark.parametrize("name", one_in(3, HOSTILE))
def test_a_megabyte_of_anything_is_read_in_bounds(tmp_path, name):
    path = tmp_path / "metrics.csv"
    path.write_bytes(HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 200
