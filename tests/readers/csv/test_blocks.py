"""Whole blocks of lines give what the lines give one by one."""

import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.readers._rows import collector
from audioloss_cli.readers.csv import read, reading
from tests.readers.bits import in_bits

NUMBERS = ["1", "2.5", "-3e-05", "12.25", "0", " 7 ", "nan", "NaN", "-inf", "Infinity", "1e999"]
CELLS = st.sampled_from([*NUMBERS, "", "x", "null", '"4"'])


def read_in(path: Path, *, blocks: bool) -> tuple[list[Any], list[Defect]]:
    """Series and defects, with a log that is long from its third row on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector, "_ROWS_TO_LEARN_FROM", 3)
        patch.setattr(reading, "_FEWEST_LINES", 2 if blocks else 1 << 30)
        items = list(read(path))
    return sorted(in_bits([item for item in items if isinstance(item, Series)])), [
        item for item in items if isinstance(item, Defect)
    ]


def whole_blocks(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows were added by their columns."""
    taken = list[int]()
    add = reading.ColumnBlocks.add

    def counted(self: Any, keys: Any, columns: Any, line: int, times: Any) -> bool:
        is_taken = add(self, keys, columns, line, times)
        taken.append(len(columns[0]) if is_taken else 0)
        return is_taken

    monkeypatch.setattr(reading.ColumnBlocks, "add", counted)
    list(read(path))
    return sum(taken)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=5), min_size=8, max_size=40),
    first=st.sampled_from(["step", "epoch", "a"]),
    delimiter=st.sampled_from(",;\t"),
    newline=st.sampled_from(["\n", "\r\n"]),
    ends=st.booleans(),
)
def test_any_table_reads_the_same(tmp_path, rows, first, delimiter, newline, ends):
    lines = [[first, "audio_loss", "lr", "val_loss"], *[[str(at // 2), *row[1:]] for at, row in enumerate(rows)]]
    path = tmp_path / "metrics.csv"
    text = newline.join(delimiter.join(line) for line in lines) + (newline if ends else "")
    path.write_bytes(text.encode())
    assert read_in(path, blocks=True) == read_in(path, blocks=False)


def sparse(rows: int) -> str:
    numbers = random.Random(7)
    lines = ["epoch,step,train/audio_loss_step,train/audio_loss_epoch,lr-AdamW,val/audio_loss"]
    for step in range(rows):
        value = "nan" if step % 50 == 9 else repr(numbers.random())
        lines += [f"{step // 100},{step},{value},,,", f",{step},,,{numbers.random():.3e},"]
        lines += [f"{step // 100},{step},,{numbers.random()},,"] if step % 100 == 99 else []
        lines += [f"{step // 100},{step},,,,{numbers.random()}"] if step % 100 == 50 else []
    return "\n".join([*lines, ""])


def test_sparse_cells_and_nan_are_read_by_columns(tmp_path, monkeypatch):
    path = tmp_path / "metrics.csv"
    path.write_text(sparse(3000), encoding="utf-8")
    alike = read_in(path, blocks=True), read_in(path, blocks=False)
    assert alike[0] == alike[1]
    assert not alike[0][1]
    assert whole_blocks(path, monkeypatch) > 3900


def test_a_loss_that_turns_empty_is_missing_in_whole_blocks_as_well(tmp_path, monkeypatch):
    rows = [f"{step},{2.5 if step < 3000 else ''},0.5,{1 / (step + 1)!r}" for step in range(6000)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["step,audio_loss,text_loss,lr", *rows]), encoding="utf-8")
    alike = read_in(path, blocks=True), read_in(path, blocks=False)
    assert alike[0] == alike[1]
    audio = next(item for item in read(path, ReadOptions(lambda tag: tag == "audio_loss")) if len(item))
    assert sum(map(math.isnan, audio.values)) in (len(audio.values) - 3000, 3000)
    assert whole_blocks(path, monkeypatch) > 3900


def test_text_beside_the_numbers_does_not_slow_them(tmp_path, monkeypatch):
    rows = [f"2024-01-01 10:{at // 60 % 60:02}:{at % 60:02},{at},train,{at / 7!r}" for at in range(4000)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["timestamp,step,phase,audio_loss", *rows, ""]), encoding="utf-8")
    assert read_in(path, blocks=True) == read_in(path, blocks=False)
    assert next(iter(read(path))).wall_times[1] == 1704103201
    assert whole_blocks(path, monkeypatch) > 2900


def test_one_odd_line_costs_its_neighbours_nothing(tmp_path, monkeypatch):
    rows = [f"{step},{step / 7!r}" if step % 500 else f'{step},"a,b"' for step in range(6000)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["step,audio_loss", *rows, ""]), encoding="utf-8")
    assert read_in(path, blocks=True) == read_in(path, blocks=False)
    assert whole_blocks(path, monkeypatch) > 3900
