"""Small files that are decoded together give what each gives by itself, to the last bit."""

import os
from array import array
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.readers import tensorboard
from audioloss_cli.readers.tensorboard import together
from audioloss_cli.readers.tensorboard.arrays import walk
from audioloss_cli.records import Defect, Mark, Request, Series
from tests.event_files import record
from tests.readers.tensorboard.test_paths import Stretch, damage, damaged, payloads, stretches

logs = st.lists(st.tuples(stretches, damage), min_size=1, max_size=6)


def in_bits(items):
    """Comparable to the last bit."""
    return [
        (item.tag, *(bytes(array(kind, getattr(item, name))) for kind, name in COLUMNS), list(item.restarts))
        if isinstance(item, Series)
        else item
        for item in items
    ]


COLUMNS = (("q", "steps"), ("d", "values"), ("d", "wall_times"))


def written(directory: Path, number: int, data: bytes) -> Path:
    path = directory / f"{number}.tfevents"
    path.write_bytes(data)
    return path


def healthy(tag: str = "loss", count: int = 300) -> bytes:
    return b"".join(record(each) for each in payloads(Stretch("simple", tag, 1, 7, count)))


@pytest.fixture
def decoded(monkeypatch):
    """How many files were decoded together each time."""
    counts, original = [], walk.several
    monkeypatch.setattr(
        "audioloss_cli.readers.tensorboard.arrays.several", lambda files: (counts.append(len(files)), original(files))
    )
    return counts


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=logs,
    room=st.sampled_from([300, 3000, 30_000]),
    checksum=st.booleans(),
    mark=st.booleans(),
    unwanted=st.sampled_from(["", "loss", "lr"]),
)
def test_each_file_gives_what_it_gives_by_itself(tmp_path, parts, room, checksum, mark, unwanted):
    request = Request(lambda tag: tag != unwanted, checksum, mark=mark, arrays=True)
    paths = []
    for number, (log, wrong) in enumerate(parts):
        data = b"".join(record(each) for part in log for each in payloads(part))
        for each in wrong:
            data = damaged(data, *each)
        paths.append(written(tmp_path, number, data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "_BYTES", (1, room))
        patch.setattr(together, "_ROOM_BYTES", room)
        found = [in_bits(items) for items in tensorboard.read_many((path, request) for path in paths)]
    assert found == [in_bits(tensorboard.read(path, request)) for path in paths]


def test_as_many_as_fit_are_decoded_at_once(tmp_path, decoded):
    paths = [written(tmp_path, number, healthy()) for number in range(130)]
    found = list(map(in_bits, tensorboard.read_many((path, Request(arrays=True)) for path in paths)))
    assert sum(decoded) == 130
    assert len(decoded) == 3
    assert found == [in_bits(tensorboard.read(paths[0]))] * 130


def test_files_of_other_kinds_take_their_turn(tmp_path, decoded):
    """A missing one, a directory, an empty one, a very small one, a large one, one that goes on from a mark."""
    small, large = healthy(count=3), healthy(count=40_000)
    (tmp_path / "2.tfevents").mkdir()
    paths = [written(tmp_path, 0, healthy()), tmp_path / "nowhere", tmp_path / "2.tfevents"]
    paths += [written(tmp_path, 3 + number, data) for number, data in enumerate([b"", small, large, healthy("lr")])]
    requests = [Request(arrays=True)] * len(paths)
    mark = list(tensorboard.read(paths[4], Request(mark=True)))[-1]
    assert isinstance(mark, Mark)
    paths.append(written(tmp_path, 7, small + healthy()))
    requests.append(Request(since=mark, arrays=True))
    outcomes = []
    for items in tensorboard.read_many(zip(paths, requests, strict=True)):
        try:
            outcomes.append([len(item) for item in items])
        except OSError as error:
            outcomes.append(type(error))
    assert outcomes == [[300], FileNotFoundError, IsADirectoryError, [], [3], [40_000], [300], [300]]
    assert decoded == [2]


def test_a_pipe_is_not_opened_before_its_turn(tmp_path):
    """To open it is to wait for its writer."""
    first, fifo = written(tmp_path, 0, healthy()), tmp_path / "1.tfevents"
    os.mkfifo(fifo)
    files = ((path, Request(arrays=True)) for path in (first, fifo, first))
    readings = tensorboard.read_many(files)
    assert [len(item) for item in next(readings)] == [300]


def test_a_file_that_cannot_be_read_is_an_error_in_its_turn(tmp_path, monkeypatch):
    paths = [written(tmp_path, number, healthy()) for number in range(3)]
    original = Path.open

    def refused(path, *mode):
        if path == paths[1]:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *mode)

    monkeypatch.setattr(Path, "open", refused)
    readings = tensorboard.read_many((path, Request(arrays=True)) for path in paths)
    assert [len(item) for item in next(readings)] == [300]
    with pytest.raises(PermissionError):
        list(next(readings))
    assert [len(item) for item in next(readings)] == [300]


def test_what_is_written_meanwhile_is_read(tmp_path):
    paths = [written(tmp_path, number, healthy()) for number in range(2)]
    readings = tensorboard.read_many((path, Request(arrays=True)) for path in paths)
    next(readings)
    with paths[1].open("ab") as stream:
        stream.write(healthy(count=5))
    assert [len(item) for item in next(readings)] == [305]


def test_damage_stays_in_its_file(tmp_path, decoded):
    data = healthy()
    value = data.index(b"loss") + len("loss") + 1
    logs = [data, data[:-7], b"\xff" * 9000, data[:value] + b"!" + data[value + 1 :], data]
    paths = [written(tmp_path, number, log) for number, log in enumerate(logs)]
    found = [list(items) for items in tensorboard.read_many((path, Request(arrays=True)) for path in paths)]
    assert decoded == [5]
    points = [sum(len(item) for item in items if isinstance(item, Series)) for items in found]
    kinds = [[item.kind for item in items if isinstance(item, Defect)] for items in found]
    assert points == [300, 299, 0, 299, 300]
    assert kinds == [[], ["truncated"], ["framing"], ["checksum"], []]
    assert {item.path for item in found[3] if isinstance(item, Defect)} == {str(paths[3])}
