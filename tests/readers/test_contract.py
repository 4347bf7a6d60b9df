"""What every reader promises, whatever its format."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import registry
from audioloss_cli.records import Defect, Series

READERS = registry.names("readers")

pytestmark = pytest.mark.parametrize("name", READERS)


def test_it_has_the_shape_of_a_reader(name):
    reader = registry.load("readers", name)
    assert reader.GROUPING in ("directory", "file")
    assert reader.__doc__
    assert reader.claims.__doc__
    assert reader.read.__doc__


def test_it_claims_no_file_of_another_kind(name, tmp_path):
    for other in ("config.json", "model.safetensors", "README.md", "notes.txt", "empty.json", "image.png"):
        (tmp_path / other).write_bytes(b"" if other == "empty.json" else b'{\n  "a": 1\n}\n')
        assert not registry.load("readers", name).claims(tmp_path / other)


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
    items = list(registry.load("readers", name).read(path))
    assert all(isinstance(item, (Series, Defect)) for item in items)
    for item in items:
        if isinstance(item, Series):
            assert len(item.steps) == len(item.values) == len(item.wall_times) > 0
        else:
            assert item.path == str(path)
            assert item.message
            assert (item.offset or 0) <= len(content)
    assert items or not content.strip()
