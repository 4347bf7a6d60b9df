"""What every reader promises, whatever its format."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.model import Defect, Note, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile
from tests.readers.bits import in_bits
from tests.readers.healthy import HEALTHY, Healthy

READERS = registry.names("readers")
CHUNK = "audioloss_cli.model.series.POINTS_OF_A_CHUNK"

pytestmark = pytest.mark.parametrize("name", READERS)


def healthy(name: str) -> Healthy:
    if name not in HEALTHY:
        pytest.fail(f"no healthy file of {name!r}: add one to HEALTHY in tests/readers/healthy.py")
    return HEALTHY[name]


def read(name: str, path: Path) -> list[Series | Defect]:
    return [item for item in registry.load("readers", name).read(path) if not isinstance(item, Note)]


def joined(items: list[Series | Defect]) -> tuple[list[object], list[Defect]]:
    """Whole series, and the defects."""
    chunks: dict[tuple[str, str], list[Series]] = {}
    for item in items:
        if isinstance(item, Series):
            chunks.setdefault((item.run, item.tag), []).append(item)
    whole = in_bits([Series.join(chunks[key]) for key in sorted(chunks)])
    return whole, [item for item in items if isinstance(item, Defect)]


def read_twice_and_in_chunks(name: str, path: Path) -> list[Series | Defect]:
    """What every reading of one file must have in common is asserted here."""
    items = read(name, path)
    assert in_bits(read(name, path)) == in_bits(items), "the second reading differs from the first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CHUNK, 7)
        assert joined(read(name, path)) == joined(items), "the chunks differ from the whole"
    return items


def test_it_has_the_shape_of_a_reader(name):
    reader = registry.load("readers", name)
    assert isinstance(reader.ORDER, int)
    assert isinstance(reader.CONTINUES, bool)
    assert "\nClaims: " in reader.__doc__
    assert "\nExample: " in reader.__doc__
    assert reader.run_of.__doc__
    assert reader.claims.__doc__
    assert reader.read.__doc__


def test_it_claims_no_file_of_another_kind(name, tmp_path):
    for other in ("config.json", "model.safetensors", "README.md", "notes.txt", "empty.json", "image.png"):
        (tmp_path / other).write_bytes(b"" if other == "empty.json" else b'{\n  "a": 1\n}\n')
        assert not registry.load("readers", name).claims(LogFile(tmp_path / other))


def test_an_empty_file_is_no_defect(name, tmp_path):
    path = tmp_path / "empty"
    path.touch()
    assert list(registry.load("readers", name).read(path)) == []


def test_a_file_that_is_not_there_is_an_os_error(name, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        list(registry.load("readers", name).read(tmp_path / "nowhere"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_os_error(name, tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o000)
    with pytest.raises(OSError, match="secret"):
        list(registry.load("readers", name).read(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_any_bytes_give_series_and_defects_and_never_an_exception(name, tmp_path: Path, content):
    path = tmp_path / "any"
    path.write_bytes(content)
    items = read_twice_and_in_chunks(name, path)
    assert all(isinstance(item, (Series, Defect)) for item in items)
    for item in items:
        if isinstance(item, Series):
            assert len(item.steps) == len(item.values) == len(item.wall_times) > 0
        else:
            assert item.path == str(path)
            assert item.message
            assert (item.offset or 0) <= len(content)
    is_table_of_words = name == "csv" and not re.search(rb"\d|nan|inf", content, re.IGNORECASE)  # a scan says so
    # A byte order mark alone is nothing, and of rows that are empty a scan says that there are no scalars.
    nothing = not content.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\v\f{}" if "json" in name else None)
    assert items or nothing or is_table_of_words


def test_a_healthy_file_is_claimed_and_read_in_full(name, tmp_path):
    path = tmp_path / healthy(name).file
    path.write_bytes(healthy(name).content)
    assert registry.load("readers", name).claims(LogFile(path))
    items = read_twice_and_in_chunks(name, path)
    assert all(isinstance(item, Series) for item in items), "a defect in a healthy file"
    series = [item for item in items if isinstance(item, Series)]
    assert len({(item.run, item.tag) for item in series}) >= 3
    assert sum(map(len, series)) >= 40
    assert max(len(set(item.steps)) for item in series) >= 15


def test_a_tag_that_is_not_wanted_comes_once_without_its_points(name, tmp_path):
    path = tmp_path / healthy(name).file
    path.write_bytes(healthy(name).content)
    whole, _ = joined(read(name, path))
    names = {(item.run, item.tag) for item in read(name, path) if isinstance(item, Series)}
    for kept in {tag for _, tag in names}:
        options = ReadOptions(lambda tag, kept=kept: tag == kept)
        items = [item for item in registry.load("readers", name).read(path, options) if not isinstance(item, Note)]
        bare = [(item.run, item.tag) for item in items if isinstance(item, Series) and not len(item)]
        assert sorted(bare) == sorted((run, tag) for run, tag in names if tag != kept)
        assert joined([item for item in items if not isinstance(item, Series) or len(item)])[0] == [
            series for series in whole if series[1] == kept
        ]


def test_no_reader_that_is_asked_earlier_claims_a_healthy_file(name, tmp_path):
    path = tmp_path / healthy(name).file
    path.write_bytes(healthy(name).content)
    claimed = [reader for other in READERS if (reader := registry.load("readers", other)).claims(LogFile(path))]
    assert min(claimed, key=lambda reader: reader.ORDER) is registry.load("readers", name)


def test_a_large_file_comes_in_chunks(name, tmp_path, monkeypatch):
    path = tmp_path / healthy(name).file
    path.write_bytes(healthy(name).content)
    whole = read(name, path)
    monkeypatch.setattr(CHUNK, 7)
    assert max(map(len, read(name, path))) <= 7 < max(map(len, whole))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), lost=st.integers(0, 40), noise=st.binary(max_size=40))
def test_a_damaged_file_reads_the_same_each_time_and_in_chunks(name, tmp_path, at, lost, noise):
    content = healthy(name).content
    at %= len(content)
    path = tmp_path / healthy(name).file
    path.write_bytes(content[:at] + noise + content[at + lost :])
    assert read_twice_and_in_chunks(name, path), "a silent loss of everything"


def test_many_files_give_what_each_gives(name, tmp_path):
    """Readers that take many files at once; see ``BatchReader``."""
    reader = registry.load("readers", name)
    if not hasattr(reader, "read_many"):
        pytest.skip("it reads file by file")
    paths = [tmp_path / str(number) / healthy(name).file for number in range(4)]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(healthy(name).content)
    paths[2].unlink()
    found = list[object]()
    for items in reader.read_many((path, ReadOptions(arrays=True)) for path in paths):
        try:
            found.append(in_bits(list(items)))
        except OSError as error:
            found.append(type(error))
    alone = in_bits(read(name, paths[0]))
    assert found == [alone, alone, FileNotFoundError, alone]
