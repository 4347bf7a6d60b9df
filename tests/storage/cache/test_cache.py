"""A scan with a cache says what one without says, and reads less."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli.model import EVERYTHING, Defect, ReadOptions, Series
from audioloss_cli.storage.cache import Cache, CacheError, prepare
from tests.effort import examples
from tests.storage.cache.toy import Reader

HOW = ("toy", True)
LINES = st.sampled_from([b"a=1\n", b"b=nan\n", b"c=-inf\n", b"a=2.5\n", b"bad\n", b"odd\xff=3\n", b"b=0\n"])


def content(items) -> tuple[dict, list[Defect]]:
    """Whole series by tag, bit by bit, and the defects; in order."""
    chunks: dict[str, list[Series]] = {}
    defects = []
    for item in items:
        if isinstance(item, Defect):
            defects.append(item)
        else:
            chunks.setdefault(item.tag, []).append(item)
    whole = [Series.join(parts) for parts in chunks.values()]
    columns = {
        part.tag: (*(bytes(memoryview(column)) for column in (part.steps, part.values, part.wall_times)), part.restarts)
        for part in whole
    }
    return columns, defects


def cached(directory: Path, path: Path, reader: Reader, request: ReadOptions = EVERYTHING):
    return content(Cache(str(directory), HOW).read(reader.read, path, request))


def written(path: Path, text: bytes, time: int = 1) -> Path:
    path.write_bytes(text)
    os.utime(path, ns=(time, time))
    return path


@pytest.fixture
def log(tmp_path) -> Path:
    return written(tmp_path / "x.toy", b"a=1\nb=2\nbad\na=3\n")


@pytest.fixture
def kept(tmp_path) -> Path:
    prepare(str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_did_not_change_is_not_read_again(log, kept):
    first, second = Reader(), Reader()
    assert cached(kept, log, first) == cached(kept, log, second) == content(Reader().read(log))
    assert (first.read_bytes, second.read_bytes) == (log.stat().st_size, 0)


def test_of_what_grew_the_tail_alone_is_read(log, kept):
    cached(kept, log, Reader())
    written(log, log.read_bytes() + b"a=4\nc=1\n", 2)
    reader = Reader()
    assert cached(kept, log, reader) == content(Reader().read(log))
    assert reader.read_bytes == len(b"a=4\nc=1\n")
    assert cached(kept, log, reader) == content(Reader().read(log))
    assert reader.read_bytes == len(b"a=4\nc=1\n")


def test_a_line_that_was_not_finished_is_read_when_it_is(log, kept):
    cached(kept, written(log, log.read_bytes() + b"a="), Reader())
    written(log, log.read_bytes() + b"4\n", 2)
    reader = Reader()
    columns, defects = cached(kept, log, reader)
    assert (columns, defects) == content(Reader().read(log))
    assert [defect.kind for defect in defects] == ["malformed"]
    assert reader.read_bytes == len(b"a=4\n")


def test_a_reader_that_cannot_go_on_reads_what_grew_anew(log, kept):
    cached(kept, log, Reader(marks=False))
    written(log, log.read_bytes() + b"a=4\n", 2)
    reader = Reader(marks=False)
    assert cached(kept, log, reader) == content(Reader().read(log))
    assert reader.read_bytes == log.stat().st_size


@pytest.mark.parametrize(
    "change",
    [
        lambda path: written(path, path.read_bytes(), 2),  # touched
        lambda path: written(path, path.read_bytes().replace(b"=1", b"=7")),  # same size, same time
        lambda path: written(path, b"a=9\n", 2),  # begun anew
        lambda path: written(path, b"c=1\n" + path.read_bytes(), 2),  # longer, but another one
    ],
)
def test_any_other_change_is_read_anew(change, log, kept):
    cached(kept, log, Reader())
    change(log)
    reader = Reader()
    assert cached(kept, log, reader) == content(Reader().read(log))
    assert reader.read_bytes == log.stat().st_size


def test_other_ways_to_read_are_kept_apart(log, kept, monkeypatch):
    cached(kept, log, Reader())
    monkeypatch.chdir(log.parent)
    reader = Reader()
    other = content(Cache(str(kept), ("toy", False)).read(reader.read, log, EVERYTHING))
    relative = cached(kept, Path("x.toy"), reader)
    assert reader.read_bytes == 2 * log.stat().st_size
    assert other == content(Reader().read(log))
    assert [defect.path for defect in relative[1]] == ["x.toy"]


def test_the_names_of_what_is_not_wanted_are_kept_too(log, kept):
    only_b = ReadOptions(wanted=lambda tag: tag == "b")
    cached(kept, log, Reader(), only_b)
    reader = Reader()
    columns, _ = cached(kept, log, reader, only_b)
    assert list(columns) == ["b", "a"]
    assert (reader.read_bytes, columns["a"]) == (0, (b"", b"", b"", []))


class GrowingReader(Reader):
    """Somebody ends the last line while it reads."""

    def read(self, path, request=EVERYTHING):
        items = list(super().read(path, request))
        with path.open("ab") as stream:
            stream.write(b"5\n")
        yield from items


@pytest.mark.parametrize("begun", [b"a=", b""])
@pytest.mark.parametrize("marks", [True, False])
def test_what_grows_while_it_is_read_is_not_taken_for_known(marks, begun, log, kept):
    before = log.stat().st_size
    cached(kept, written(log, log.read_bytes() + begun), GrowingReader(marks=marks))
    reader = Reader(marks=marks)
    assert cached(kept, log, reader) == content(Reader().read(log))
    assert reader.read_bytes == log.stat().st_size - (before if marks else 0)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(LINES), st.lists(st.tuples(st.lists(LINES), st.integers(0, 3)), max_size=4))
def test_growth_in_any_steps_reads_the_same(tmp_path_factory, first, steps):
    directory = tmp_path_factory.mktemp("growing")
    path, whole = directory / "x.toy", b"".join(first)
    for time, (lines, cut) in enumerate([([], 0), *steps]):
        whole += b"".join(lines)
        written(path, whole[: len(whole) - cut], time)  # cut: the writer is in the middle of a line
        assert cached(directory, path, Reader()) == content(Reader().read(path))


DAMAGE = {
    "cut": lambda good, place: good[:place],
    "flipped": lambda good, place: good[:place] + bytes([good[place] ^ (1 << place % 8)]) + good[place + 1 :],
    "longer": lambda good, place: good[:place] + b"\0" + good[place:],
    "doubled": lambda good, place: good + good[place:],
    "zeros": lambda good, place: bytes(place),
    "none": lambda good, place: good,
}


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(sorted(DAMAGE)) | st.binary(max_size=200), st.floats(0, 1, exclude_max=True))
def test_a_corrupt_reading_is_never_trusted(tmp_path_factory, damage, share):
    directory = tmp_path_factory.mktemp("corrupt")
    path = written(directory / "x.toy", b"a=1\nb=2\nbad\na=3\nb=2")
    truth = cached(directory, path, Reader())
    (file,) = directory.glob("*.reading")
    good = file.read_bytes()
    bad = damage if isinstance(damage, bytes) else DAMAGE[damage](good, int(share * len(good)))
    file.write_bytes(bad)
    reader = Reader()
    assert cached(directory, path, reader) == truth == content(Reader().read(path))
    assert reader.read_bytes == (0 if bad == good else path.stat().st_size)
    assert file.read_bytes() == good


def test_a_reading_of_another_log_is_not_taken(log, kept):
    other = written(log.with_name("y.toy"), b"a=8\nb=8\nbad\na=8\n")
    cached(kept, log, Reader())
    (theirs,) = kept.glob("*.reading")
    cached(kept, other, Reader())
    (ours,) = set(kept.glob("*.reading")) - {theirs}
    ours.write_bytes(theirs.read_bytes())
    assert cached(kept, other, Reader()) == content(Reader().read(other))


def test_a_directory_that_went_away_stops_nothing(log, kept):
    (kept / ".gitignore").unlink()
    kept.rmdir()
    assert cached(kept, log, Reader()) == content(Reader().read(log))


def test_no_draft_is_left(log, kept):
    cached(kept, log, Reader())
    assert [file.suffix for file in sorted(kept.iterdir())] == ["", ".reading"]


def test_a_pipe_is_read_through(tmp_path, kept):
    os.mkfifo(tmp_path / "p.toy")
    writer = os.open(tmp_path / "p.toy", os.O_RDWR)
    os.write(writer, b"a=1\n")

    class Once(Reader):
        def read(self, path, request=EVERYTHING):
            yield Series("a")

    assert cached(kept, tmp_path / "p.toy", Once()) == ({"a": (b"", b"", b"", [])}, [])
    assert os.read(writer, 10) == b"a=1\n"
    os.close(writer)
    assert list(kept.glob("*.reading")) == []


def test_a_cache_that_cannot_be_made_is_refused_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot be written to: .*; name another"):
        prepare(str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"cannot be written to: .*; name another"):
        prepare(str(tmp_path / "file" / "below"))
