"""Small files that are decoded together give what each gives by itself, to the last bit."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.model import Cursor, Defect, ReadOptions, Series
from audioloss_cli.readers import tensorboard
from audioloss_cli.readers.tensorboard import arrays, together
from audioloss_cli.readers.tensorboard.arrays import window
from audioloss_cli.readers.tensorboard.arrays.groups import Groups
from tests import event_messages as event_pb2
from tests.effort import examples
from tests.event_files import record
from tests.readers.bits import in_bits
from tests.readers.tensorboard.test_paths import Stretch, damage, damaged, payloads, stretches

logs = st.lists(st.tuples(stretches, damage), min_size=1, max_size=6)


def written(directory: Path, number: int, data: bytes) -> Path:
    path = directory / f"{number}.tfevents"
    path.write_bytes(data)
    return path


def healthy(tag: str = "loss", count: int = 300) -> bytes:
    return b"".join(record(each) for each in payloads(Stretch("simple", tag, 1, 7, count)))


@pytest.fixture
def decoded(monkeypatch):
    """Each time that files were decoded together, whether each of them was so to its end."""
    outcomes, original = [], arrays.several

    def several(files, **options):
        found = original(files, **options)
        outcomes.append([whole for _, whole in found])
        return found

    monkeypatch.setattr(arrays, "several", several)
    return outcomes


def read_together(paths, **asked):
    return [list(items) for items in tensorboard.read_many((path, ReadOptions(arrays=True, **asked)) for path in paths)]


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=logs,
    room=st.sampled_from([300, 3000, 30_000]),
    worth=st.sampled_from([0, 0, window._RECORDS_WORTH_A_TAG]),
    checksum=st.booleans(),
    mark=st.booleans(),
    unwanted=st.sampled_from(["", "loss", "lr"]),
)
def test_each_file_gives_what_it_gives_by_itself(tmp_path, parts, room, worth, checksum, mark, unwanted):
    request = ReadOptions(lambda tag: tag != unwanted, checksum, mark=mark, arrays=True)
    paths = []
    for number, (log, wrong) in enumerate(parts):
        data = b"".join(record(each) for part in log for each in payloads(part))
        for each in wrong:
            data = damaged(data, *each)
        paths.append(written(tmp_path, number, data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "_BYTES", (1, room))
        patch.setattr(together, "_ROOM_BYTES", room)
        patch.setattr(window, "_RECORDS_WORTH_A_TAG", worth)
        found = [in_bits(items) for items in tensorboard.read_many((path, request) for path in paths)]
    assert found == [in_bits(tensorboard.read(path, request)) for path in paths]


def test_as_many_as_fit_are_decoded_at_once(tmp_path, decoded):
    paths = [written(tmp_path, number, healthy()) for number in range(130)]
    found = list(map(in_bits, read_together(paths)))
    assert [len(each) for each in decoded] == [64, 64, 2]
    assert all(map(all, decoded))
    assert found == [in_bits(tensorboard.read(paths[0]))] * 130


def test_what_real_logs_begin_with_does_not_end_it(tmp_path, decoded, monkeypatch):
    """A version as long as a record of a scalar, a text, values that name their plugin in the first record alone."""
    monkeypatch.setattr(window._known, "groups", Groups())  # other tests have taught it
    version = event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString()
    begin = payloads(Stretch("simple", "loss", 0, 7, 200))
    assert len(begin[0]) == len(version)
    text, named = (payloads(Stretch(kind, "words", 0, 7, 1)) for kind in ("text", "named"))
    tensors = payloads(Stretch("content", "words", 1, 7, 100))
    logs = [[version, *begin], [version, *text, *begin], [version, *named, *tensors], [version, *text, *tensors]]
    paths = [written(tmp_path, number, b"".join(map(record, log))) for number, log in enumerate(logs)]
    found = read_together(paths)
    assert decoded == [[True] * 4]
    assert [[len(item) for item in items] for items in found] == [[200], [200], [101], []]


def test_a_plugin_that_is_named_later_counts_from_there_on(tmp_path, decoded):
    late = [payloads(Stretch(kind, "words", 10 * number, 7, 60)) for number, kind in enumerate(("rank 1", "named"))]
    text = payloads(Stretch("text", "other", 0, 7, 1)) + payloads(Stretch("content", "other", 0, 7, 60))
    turned = payloads(Stretch("content", "words", 0, 7, 60)) + payloads(Stretch("text", "words", 0, 7, 1))
    logs = [*late[0], *late[1]], text, turned
    paths = [written(tmp_path, number, b"".join(map(record, log))) for number, log in enumerate(logs)]
    assert [[len(item) for item in items] for items in read_together(paths)] == [[60], [], [60]]
    assert decoded == [[False, True, False]]


def test_checksums_are_verified_where_they_are_asked_for(tmp_path, decoded):
    data = bytearray(healthy())
    data[data.index(b"loss") + 5] ^= 1
    paths = [written(tmp_path, number, data) for number in range(4)]
    asked = [ReadOptions(checksum=checksum, arrays=True) for checksum in (True, True, False, False)]
    found = [list(items) for items in tensorboard.read_many(zip(paths, asked, strict=True))]
    assert [sum(isinstance(item, Defect) for item in items) for items in found] == [1, 1, 0, 0]
    assert [len(each) for each in decoded] == [2]


def test_where_it_does_not_pay_it_is_tried_less_and_less_often(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(together, "_FILES", 2)
    start = record(event_pb2.Event(wall_time=1.0, session_log={"status": 1}).SerializeToString())
    paths = [written(tmp_path, number, start + healthy()) for number in range(40)]
    assert all(len(item) == 300 for items in read_together(paths) for item in items)
    assert len(decoded) == 5  # batches 1, 3, 6, 11 and 20


def test_files_of_other_kinds_take_their_turn(tmp_path, decoded):
    """A missing one, a directory, an empty one, a very small one, a large one, one that goes on from a mark."""
    small, large = healthy(count=3), healthy(count=40_000)
    (tmp_path / "2.tfevents").mkdir()
    paths = [written(tmp_path, 0, healthy()), tmp_path / "nowhere", tmp_path / "2.tfevents"]
    paths += [written(tmp_path, 3 + number, data) for number, data in enumerate([b"", small, large, healthy("lr")])]
    requests = [ReadOptions(arrays=True)] * len(paths)
    mark = list(tensorboard.read(paths[4], ReadOptions(mark=True)))[-1]
    assert isinstance(mark, Cursor)
    paths.append(written(tmp_path, 7, small + healthy()))
    requests.append(ReadOptions(since=mark, arrays=True))
    outcomes = []
    for items in tensorboard.read_many(zip(paths, requests, strict=True)):
        try:
            outcomes.append([len(item) for item in items])
        except OSError as error:
            outcomes.append(type(error))
    assert outcomes == [[300], FileNotFoundError, IsADirectoryError, [], [3], [40_000], [300], [300]]
    assert [len(each) for each in decoded] == [2]


def test_a_pipe_is_not_opened_before_its_turn(tmp_path):
    """To open it is to wait for its writer."""
    first, fifo = written(tmp_path, 0, healthy()), tmp_path / "1.tfevents"
    os.mkfifo(fifo)
    files = ((path, ReadOptions(arrays=True)) for path in (first, fifo, first))
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
    readings = tensorboard.read_many((path, ReadOptions(arrays=True)) for path in paths)
    assert [len(item) for item in next(readings)] == [300]
    with pytest.raises(PermissionError):
        list(next(readings))
    assert [len(item) for item in next(readings)] == [300]


def test_a_record_that_is_completed_meanwhile_is_read(tmp_path):
    data = healthy()
    paths = [written(tmp_path, 0, data), written(tmp_path, 1, data[:-9])]
    readings = tensorboard.read_many((path, ReadOptions(arrays=True)) for path in paths)
    next(readings)
    with paths[1].open("ab") as stream:
        stream.write(data[-9:] + healthy(count=5))
    assert [len(item) for item in next(readings)] == [305]


def test_damage_stays_in_its_file(tmp_path, decoded):
    data = healthy()
    value = data.index(b"loss") + len("loss") + 1
    logs = [data, data[:-7], b"\xff" * 9000, data[:value] + b"!" + data[value + 1 :], data]
    paths = [written(tmp_path, number, log) for number, log in enumerate(logs)]
    found = read_together(paths)
    assert decoded == [[True, False, False, False, True]]
    points = [sum(len(item) for item in items if isinstance(item, Series)) for items in found]
    kinds = [[item.kind for item in items if isinstance(item, Defect)] for items in found]
    assert points == [300, 299, 0, 299, 300]
    assert kinds == [[], ["truncated"], ["framing"], ["checksum"], []]
    assert {item.path for item in found[3] if isinstance(item, Defect)} == {str(paths[3])}
