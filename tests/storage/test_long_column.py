"""Columns in a file are read as the same columns in memory."""

import math
import pickle
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.model import MISSING, Series, columns, is_missing
from audioloss_cli.model.columns import blocks
from audioloss_cli.storage import long_column
from audioloss_cli.storage.long_column import LongColumn
from audioloss_cli.storage.spill_file import SpillError, SpillFile

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(columns, "BLOCK", 8)
    monkeypatch.setattr(long_column, "BLOCK", 8)
    monkeypatch.setattr(long_column, "_NEAR", 4)


def two_columns(parts) -> tuple[LongColumn, LongColumn]:
    """The parts of one lie between those of the other."""
    file = SpillFile()
    one, other = LongColumn(file, "q"), LongColumn(file, "q")
    for part in parts:
        one.append(array("q", part))
        other.append(np.array(part[::-1], np.int64))
    return one, other


@given(st.lists(NUMBERS, max_size=5), st.data())
def test_it_is_the_list_of_its_parts(parts, data):
    one, other = two_columns(parts)
    truth = [number for part in parts for number in part]
    assert list(one) == truth
    assert list(other) == [number for part in parts for number in part[::-1]]
    assert (len(one), one[:].tolist(), np.asarray(one).tolist()) == (len(truth), truth, truth)
    for _ in range(5):
        ends = st.none() | st.integers(-len(truth) - 2, len(truth) + 2)
        stride = data.draw(st.none() | st.integers(-9, 9).filter(bool))
        chosen = slice(data.draw(ends), data.draw(ends), stride)
        assert one[chosen].tolist() == truth[chosen]
        if truth:
            index = data.draw(st.integers(-len(truth), len(truth) - 1))
            assert one[index] == truth[index]
    for outside in (len(truth), -len(truth) - 1):
        with pytest.raises(IndexError):
            one[outside]


def test_it_keeps_what_numbers_are_not_equal_to():
    column = LongColumn(SpillFile(), "d")
    column.append([MISSING, math.nan, -0.0])
    assert [is_missing(value) for value in column] == [True, False, False]
    assert math.copysign(1, column[2]) == -1


def test_blocks_of_a_column_in_memory_are_itself():
    column = array("q", range(20))
    assert [block is column for block in blocks(column)] == [True]
    assert [len(block) for block in blocks(two_columns([range(20)])[0])] == [8, 8, 4]


def test_a_series_grows_and_is_cut_as_one_in_memory():
    file = SpillFile()
    series = Series("x", LongColumn(file, "q"), LongColumn(file, "d"), LongColumn(file, "d"))
    series.extend(Series("x", array("q", range(20)), array("d", range(20)), restarts=[3]))
    series.extend(Series("x", array("q", range(5)), array("d", range(5)), restarts=[0]))
    part = series.part(2, 21)
    assert (series.restarts, part.restarts) == ([3, 20], [1, 18])
    assert (list(part.steps), list(part.values)) == ([*range(2, 20), 0], [*range(2, 20), 0])
    assert series.part(0, 25) is series


def test_without_a_name_it_travels_with_its_numbers():
    one, _ = two_columns([[1, 2], [3]])
    assert pickle.loads(pickle.dumps(one)) == array("q", [1, 2, 3])


def test_with_a_name_another_process_takes_the_file_over(tmp_path):
    column = LongColumn(SpillFile(str(tmp_path)), "q")
    column.append(range(20))
    sent = pickle.dumps([column, column])
    assert len(sent) < 400
    one, other = pickle.loads(sent)
    assert list(one) == list(other) == list(range(20))
    assert list(tmp_path.iterdir()) == []  # it is gone with its last reader


@pytest.mark.parametrize("directory", ["none", "file"])
def test_a_directory_that_cannot_be_written_to_is_named_with_a_remedy(directory, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpillError, match=r"the points of a long log do not fit there: .*TMPDIR"):
        SpillFile(str(tmp_path / directory))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_named_with_a_remedy():
    file = SpillFile()
    file._file.close()
    file._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115, PTH123
    with pytest.raises(SpillError, match="No space left on device; name a directory with more room"):
        LongColumn(file, "q").append([1])
