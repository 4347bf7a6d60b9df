"""Real writers still write the same samples."""

import pytest

from audioloss_cli import scan
from tests.make_samples import SAMPLES, WRITERS
from tests.test_samples import EXIT_CODES


def test_every_sample_has_its_writer():
    assert {*WRITERS, "no-shift"} == set(EXIT_CODES)  # which `tests/probe/test_samples.py` trains


@pytest.mark.parametrize("name", WRITERS)
def test_the_writers_still_write_it(name, tmp_path):
    (tmp_path / name).mkdir()
    WRITERS[name](tmp_path / name)
    made, kept = scan(tmp_path / name).to_frame().points, scan(SAMPLES / name).to_frame().points
    assert made.drop(columns="run").equals(kept.drop(columns="run"))
